"""How the embedded models of vaerans are made: data, network, context prior, training, export and judging. See README.md."""

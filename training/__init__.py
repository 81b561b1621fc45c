"""How the default model of vaerans is made: data, network, context prior, training, export and judging. See README.md."""

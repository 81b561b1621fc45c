//! Any bytes are refused or are a model that is written as the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaerans_core::context::ContextModel;

fuzz_target!(|data: &[u8]| {
    if let Ok(model) = ContextModel::parse(data) {
        assert_eq!(model.to_bytes(), data);
        for rate in [0, 1, 2047, 2048, 4095] {
            model.at_rate(rate).expect("a rate in range");
        }
    }
});

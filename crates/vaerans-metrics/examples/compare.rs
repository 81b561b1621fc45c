//! Every metric of two binary PPM pictures, and what it took natively, best of nine: `compare A.ppm B.ppm`.

use std::time::Instant;

use vaerans_metrics::{
    mean_squared_error, mean_squared_luma_error, ms_ssim, ssim, ssimulacra2, Pair,
};

type Metric = fn(Pair) -> Option<f64>;

const METRICS: [(&str, Metric); 5] = [
    ("mean_squared_error", |pair| Some(mean_squared_error(pair))),
    ("mean_squared_luma_error", |pair| {
        Some(mean_squared_luma_error(pair))
    }),
    ("ssim", ssim),
    ("ms_ssim", ms_ssim),
    ("ssimulacra2", ssimulacra2),
];

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [a, b] = paths.as_slice() else {
        panic!("compare: expected two PPM files, got {}", paths.len());
    };
    let ((width, height, a), (_, _, b)) = (read_ppm(a), read_ppm(b));
    let pair = Pair::new(width, height, 3, &a, &b).expect("pictures of one size");
    for (name, metric) in METRICS {
        let mut best_ms = f64::INFINITY;
        let mut value = None;
        for _ in 0..9 {
            let start = Instant::now();
            value = metric(pair);
            best_ms = best_ms.min(start.elapsed().as_secs_f64() * 1e3);
        }
        println!("{name} {value:?} {best_ms:.3} ms");
    }
}

/// P6 with one white space between the numbers of its head, and no comments.
fn read_ppm(path: &str) -> (usize, usize, Vec<u8>) {
    let bytes = std::fs::read(path).expect("a file that can be read");
    let mut fields = bytes.splitn(5, u8::is_ascii_whitespace);
    let mut number = || -> usize {
        let field = fields.next().expect("a field of the head");
        String::from_utf8_lossy(field).parse().unwrap_or(0)
    };
    let (_, width, height, _) = (number(), number(), number(), number());
    let samples = fields.next().expect("samples").to_vec();
    (width, height, samples)
}

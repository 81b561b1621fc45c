//! From maps to terms to the score.

use super::Channel;

/// Of one scale: means over the picture of each error and of its fourth power, by channel.
#[derive(Default)]
pub struct Terms {
    sums: [[f64; NORMS * MAPS]; 3],
}

const NORMS: usize = 2;
/// Structure lost, edges that came, edges that went.
const MAPS: usize = 3;

/// Pixels that are worked out together.
const LANES: usize = 8;
/// (0.03)².
const C2: f32 = 0.0009;

impl Terms {
    pub fn add_row(&mut self, channel: usize, from: &Channel) {
        let [a, b] = from.middle_rows();
        let [mean_a, mean_b, squares, products] = &from.blurred;
        let length = a.len();
        let inputs = [a, b, mean_a, mean_b, squares, products].map(|row| &row[..length]);
        let mut lanes = [[0f32; LANES]; NORMS * MAPS];
        let whole = length - length % LANES;
        for at in (0..whole).step_by(LANES) {
            let block = inputs.map(|row| {
                let mut values = [0f32; LANES];
                values.copy_from_slice(&row[at..at + LANES]);
                values
            });
            add_block(block, &mut lanes);
        }
        let mut rest = [[0f32; 1]; NORMS * MAPS];
        for at in whole..length {
            add_block(inputs.map(|row| [row[at]]), &mut rest);
        }
        for (sum, (lanes, [rest])) in self.sums[channel].iter_mut().zip(lanes.iter().zip(rest)) {
            *sum += lanes.iter().copied().map(f64::from).sum::<f64>() + f64::from(rest);
        }
    }

    pub fn divide_by(&mut self, pixels: f64) {
        for [plain @ .., _, _, _] in &mut self.sums {
            for mean in plain {
                *mean /= pixels;
            }
        }
        for [_, _, _, powers @ ..] in &mut self.sums {
            for mean in powers {
                *mean = (*mean / pixels).powf(0.25);
            }
        }
    }
}

/// Adds the errors of some pixels to `sums`: first plain, then to the fourth power.
#[inline(always)]
fn add_block<const N: usize>(
    [a, b, mean_a, mean_b, squares, products]: [[f32; N]; 6],
    sums: &mut [[f32; N]; NORMS * MAPS],
) {
    for lane in 0..N {
        let (mu_a, mu_b) = (mean_a[lane], mean_b[lane]);
        let luminance = 1.0 - (mu_a - mu_b) * (mu_a - mu_b);
        let covariance = 2.0 * (products[lane] - mu_a * mu_b) + C2;
        let variances = squares[lane] - (mu_a * mu_a + mu_b * mu_b) + C2;
        let structure = positive(1.0 - luminance * covariance / variances);
        let edge = (1.0 + (b[lane] - mu_b).abs()) / (1.0 + (a[lane] - mu_a).abs()) - 1.0;
        let errors = [structure, positive(edge), positive(-edge)];
        for (map, error) in errors.into_iter().enumerate() {
            let square = error * error;
            sums[map][lane] += error;
            sums[MAPS + map][lane] += square * square;
        }
    }
}

/// WASM's own maximum is another than Rust's, which is a call there.
#[inline(always)]
fn positive(value: f32) -> f32 {
    if value > 0.0 {
        value
    } else {
        0.0
    }
}

/// The weighted sum of all terms, bent so that it is near a mean opinion. Where a picture is too small for all scales
/// the weights move up, as in the reference.
pub fn score(scales: &[Terms]) -> f64 {
    let mut weights = WEIGHTS.iter();
    let mut sum = 0.0;
    for channel in 0..3 {
        for terms in scales {
            for term in terms.sums[channel] {
                sum += weights.next().unwrap_or(&0.0) * term;
            }
        }
    }
    sum *= 0.956_238_261_683_484_4;
    sum = 6.248_496_625_763_138e-5 * sum.powi(3) - 0.020_884_521_182_843_837 * sum.powi(2)
        + 2.326_765_642_916_932 * sum;
    if sum > 0.0 {
        100.0 - 10.0 * sum.powf(0.627_633_646_783_138_7)
    } else {
        100.0
    }
}

/// By channel, scale, norm and map.
const WEIGHTS: [f64; 108] = [
    0.0,
    0.000_737_660_670_740_658_6,
    0.0,
    0.0,
    0.000_779_348_168_286_730_9,
    0.0,
    0.0,
    0.000_437_115_573_010_737_9,
    0.0,
    1.104_172_642_665_734_6,
    0.000_662_848_341_292_71,
    0.000_152_316_327_837_187_52,
    0.0,
    0.001_640_643_745_659_975_4,
    0.0,
    1.842_245_552_053_929_8,
    11.441_172_603_757_666,
    0.0,
    0.000_798_910_943_601_516_3,
    0.000_176_816_438_078_653,
    0.0,
    1.878_759_497_954_638_7,
    10.949_069_906_051_42,
    0.0,
    0.000_728_934_699_150_807_2,
    0.967_793_708_062_683_3,
    0.0,
    0.000_140_034_242_854_358_84,
    0.998_176_697_785_496_7,
    0.000_319_497_559_344_350_53,
    0.000_455_099_211_379_206_3,
    0.0,
    0.0,
    0.001_364_876_616_324_339_8,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    7.466_890_328_078_848,
    0.0,
    17.445_833_984_131_262,
    0.000_623_560_163_404_146_6,
    0.0,
    0.0,
    6.683_678_146_179_332,
    0.000_377_244_079_796_112_96,
    1.027_889_937_768_264,
    225.205_153_008_492_74,
    0.0,
    0.0,
    19.213_238_186_143_016,
    0.001_140_152_458_661_836_1,
    0.001_237_755_635_509_985,
    176.393_175_984_506_94,
    0.0,
    0.0,
    24.433_009_998_704_76,
    0.285_208_026_121_177_57,
    0.000_448_543_692_383_340_8,
    0.0,
    0.0,
    0.0,
    34.779_063_444_837_72,
    44.835_625_328_877_896,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.000_868_055_657_329_169_8,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.000_531_319_187_435_874_7,
    0.0,
    0.000_165_338_141_613_791_12,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.000_417_917_180_325_133_6,
    0.001_729_082_823_472_283_3,
    0.0,
    0.002_082_700_584_663_643_7,
    0.0,
    0.0,
    8.826_982_764_996_862,
    23.192_433_439_989_26,
    0.0,
    95.108_049_881_108_6,
    0.986_397_803_440_068_2,
    0.983_438_279_246_535_3,
    0.001_228_640_504_827_849_3,
    171.266_725_589_730_7,
    0.980_785_887_243_537_9,
    0.0,
    0.0,
    0.0,
    0.000_513_006_458_899_067_9,
    0.0,
    0.000_108_540_578_584_115_37,
];

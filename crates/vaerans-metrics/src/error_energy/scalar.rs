/// Of at most `BLOCK` samples.
pub fn sum_squared_error(a: &[u8], b: &[u8]) -> u32 {
    let mut sum = 0u32;
    for (&a, &b) in a.iter().zip(b) {
        let difference = i32::from(a) - i32::from(b);
        sum += (difference * difference) as u32;
    }
    sum
}

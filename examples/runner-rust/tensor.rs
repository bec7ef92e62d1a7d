//! Tensors of the messages, with numbers as C writes them in hexadecimal, such as 0x1.8p+0.

use crate::json::Json;

pub struct Tensor {
    pub shape: Vec<usize>,
    pub data: Vec<f64>,
}

impl Tensor {
    pub fn read(json: &Json) -> Tensor {
        Tensor {
            shape: json["shape"]
                .items()
                .iter()
                .map(|size| size.text().parse().expect("a size"))
                .collect(),
            data: json["data"]
                .items()
                .iter()
                .map(|number| read_number(number.text()))
                .collect(),
        }
    }

    /// The tensor as JSON. We compute in f64, and round to f32 only here: that is better than arithmetic in f32.
    pub fn write(&self, dtype: &str) -> String {
        let round = |number: f64| {
            if dtype == "float32" {
                number as f32 as f64
            } else {
                number
            }
        };
        let data: Vec<String> = self
            .data
            .iter()
            .map(|&number| write_number(round(number)))
            .collect();
        format!(
            r#"{{"dtype": "{dtype}", "shape": {:?}, "data": {data:?}}}"#,
            self.shape
        )
    }
}

pub fn read_number(text: &str) -> f64 {
    let (sign, size) = match text.strip_prefix('-') {
        Some(size) => (-1.0, size),
        None => (1.0, text),
    };
    let Some((digits, exponent)) = size
        .strip_prefix("0x")
        .and_then(|size| size.split_once('p'))
    else {
        return sign * size.parse::<f64>().expect("a number"); // Rust writes nan and inf as C does
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let significand =
        u64::from_str_radix(&format!("{whole}{fraction}"), 16).expect("hexadecimal digits");
    let exponent = exponent.parse::<i32>().expect("an exponent") - 4 * fraction.len() as i32;
    // At most 53 bits, and a power of two: both are exact, and so is their product.
    sign * significand as f64 * power_of_two(exponent)
}

fn write_number(number: f64) -> String {
    if !number.is_finite() {
        return number.to_string().to_lowercase();
    }
    let bits = number.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    let sign = if number.is_sign_negative() { "-" } else { "" };
    // Subnormal numbers lack the hidden bit, and have the exponent of the smallest normal ones.
    match exponent {
        0 => format!("{sign}0x{fraction:x}p-1074"),
        _ => format!("{sign}0x{:x}p{}", fraction | 1 << 52, exponent - 1075),
    }
}

/// From its bits: 2f64.powi may be rounded, and is 0 where the power is subnormal.
fn power_of_two(exponent: i32) -> f64 {
    match exponent {
        -1022..=1023 => f64::from_bits(((exponent + 1023) as u64) << 52),
        -1074..=-1023 => f64::from_bits(1 << (exponent + 1074)),
        _ => panic!("no number of ours has the exponent {exponent}"),
    }
}

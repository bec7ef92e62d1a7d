//! The losses of single elements, and their derivatives.

use crate::json::Json;
use crate::tensor::{read_number, Tensor};

/// The value, and the gradients by input and, if the loss is differentiable by it, by target.
pub struct Computed {
    pub value: Tensor,
    pub gradients: Vec<(&'static str, Tensor)>,
}

/// The loss of an element, and its derivatives by input and by target.
struct Point {
    loss: f64,
    slopes: [f64; 2],
}

pub const PARAMETERS: [(&str, &[&str]); 3] = [
    ("MSELoss", &["reduction"]),
    ("SmoothL1Loss", &["reduction", "beta"]),
    ("SoftMarginLoss", &["reduction"]),
];

/// The loss, and its gradients if there is an upstream gradient; or why the call is wrong.
pub fn compute(
    loss: &str,
    input: &Tensor,
    target: &Tensor,
    parameters: &Json,
    upstream: Option<&Tensor>,
) -> Result<Computed, String> {
    let number = |name: &str| read_number(parameters[name].text());
    if input.shape != target.shape {
        return Err(format!(
            "input has shape {:?}, and target {:?}",
            input.shape, target.shape
        ));
    }
    let beta = if loss == "SmoothL1Loss" {
        number("beta")
    } else {
        0.0
    };
    if !(beta >= 0.0) {
        return Err(format!("beta is {beta}; it must not be negative"));
    }
    let point = |(&x, &t): (&f64, &f64)| match loss {
        "MSELoss" => of_difference((x - t) * (x - t), 2.0 * (x - t)),
        "SmoothL1Loss" => smooth_l1(x - t, beta),
        "SoftMarginLoss" => soft_margin(x, t),
        _ => panic!("we did not announce {loss}"),
    };
    let points: Vec<Point> = input.data.iter().zip(&target.data).map(point).collect();
    let divisor = match parameters["reduction"].text() {
        "none" | "sum" => 1.0,
        "mean" => points.len() as f64,
        other => return Err(format!("there is no reduction '{other}'")),
    };
    let is_reduced = parameters["reduction"].text() != "none";
    let losses = points.iter().map(|point| point.loss);
    let value = if is_reduced {
        Tensor {
            shape: vec![],
            data: vec![losses.sum::<f64>() / divisor],
        }
    } else {
        Tensor {
            shape: input.shape.clone(),
            data: losses.collect(),
        }
    };
    let gradient = |upstream: &Tensor, side: usize| Tensor {
        shape: input.shape.clone(),
        data: (points.iter().enumerate())
            .map(|(i, point)| {
                point.slopes[side] * (upstream.data[if is_reduced { 0 } else { i }] / divisor)
            })
            .collect(),
    };
    let sides: &[_] = if loss == "SoftMarginLoss" {
        &["input"]
    } else {
        &["input", "target"]
    };
    let gradients = upstream.map(|upstream| {
        sides
            .iter()
            .enumerate()
            .map(|(side, &name)| (name, gradient(upstream, side)))
            .collect()
    });
    Ok(Computed {
        value,
        gradients: gradients.unwrap_or_default(),
    })
}

fn of_difference(loss: f64, slope: f64) -> Point {
    Point {
        loss,
        slopes: [slope, -slope],
    }
}

fn smooth_l1(d: f64, beta: f64) -> Point {
    if d.abs() < beta {
        return of_difference(0.5 * d * d / beta, d / beta);
    }
    // The sign of 0 is 1 to signum, but the slope there is 0.
    of_difference(
        d.abs() - 0.5 * beta,
        if d == 0.0 { 0.0 } else { d.signum() },
    )
}

/// log(1 + exp(-t x)), of which neither side overflows where the result does not.
fn soft_margin(x: f64, t: f64) -> Point {
    let margin = t * x;
    let loss = (-margin).max(0.0) + (-margin.abs()).exp().ln_1p();
    let share = if margin > 0.0 {
        (-margin).exp() / (1.0 + (-margin).exp())
    } else {
        1.0 / (1.0 + margin.exp())
    };
    Point {
        loss,
        slopes: [-t * share, 0.0],
    }
}

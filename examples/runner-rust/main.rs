//! A runner in Rust, without crates: it answers each line of stdin with a line on stdout.

mod json;
mod losses;
mod tensor;

use std::io::{self, BufRead};

use json::Json;
use tensor::Tensor;

fn announcement() -> String {
    let losses: Vec<String> = (losses::PARAMETERS.iter())
        .map(|(loss, parameters)| format!(r#""{loss}": {{"parameters": {parameters:?}}}"#))
        .collect();
    format!(
        r#"{{"name": "losses-in-rust", "version": "1.0", "language": "Rust", "dtypes": ["float64", "float32"], "losses": {{{}}}, "lacks": ["broadcast", "integers", "mixed_dtypes"]}}"#,
        losses.join(", ")
    )
}

fn answer(message: &Json) -> String {
    let (seq, dtype) = (message["seq"].text(), message["dtype"].text());
    let [input, target] = ["input", "target"].map(|name| Tensor::read(&message["arguments"][name]));
    let upstream = message.get("upstream").map(Tensor::read);
    let loss = message["loss"].text();
    match losses::compute(
        loss,
        &input,
        &target,
        &message["parameters"],
        upstream.as_ref(),
    ) {
        Err(refusal) => format!(r#"{{"seq": {seq}, "refused": {refusal:?}}}"#),
        Ok(computed) => {
            let is_wanted = |name: &str| {
                message["wrt"]
                    .items()
                    .iter()
                    .any(|wanted| wanted.text() == name)
            };
            let gradients: Vec<String> = (computed.gradients.iter())
                .filter(|(name, _)| is_wanted(name))
                .map(|(name, gradient)| format!(r#""{name}": {}"#, gradient.write(dtype)))
                .collect();
            let value = computed.value.write(dtype);
            format!(
                r#"{{"seq": {seq}, "value": {value}, "gradients": {{{}}}}}"#,
                gradients.join(", ")
            )
        }
    }
}

fn main() {
    for line in io::stdin().lock().lines() {
        let message = Json::parse(&line.expect("stdin holds UTF-8"));
        match message["cmd"].text() {
            "start" => println!("{}", announcement()),
            "run" => println!("{}", answer(&message)),
            _ => return,
        }
    }
}

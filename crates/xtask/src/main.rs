//! House rules as a program: `cargo xtask tidy`.

mod rules;
mod tidy;

use std::process::ExitCode;

fn main() -> ExitCode {
    let command = std::env::args().nth(1);
    if command.as_deref() != Some("tidy") {
        eprintln!("usage: cargo xtask tidy");
        return ExitCode::from(2);
    }
    match tidy::run() {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            for fault in &faults {
                eprintln!("{fault}");
            }
            eprintln!("tidy: {} to mend", faults.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("tidy could not look at the tree: {error}");
            ExitCode::from(2)
        }
    }
}

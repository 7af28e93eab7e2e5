//! The program `wuji`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    wuji::cli::main(wuji::cli::Line::parse())
}

//! The program `wuji`.
fn main() {}

//! The wire as a stranger sees it: every value reads back as it was written, every decoder survives what nobody honest
//! sends, and the bytes stay what they were (`golden`).

mod build;
mod divisions;
mod golden;
mod hostile;
mod json;
mod later;
mod limits;
mod round_trip;
mod values;
mod wide_values;

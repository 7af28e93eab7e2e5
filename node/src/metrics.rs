//! The text format of Prometheus (version 0.0.4), written by hand: it is lines.

use std::fmt::Write;

/// What a family of numbers is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// As it is now.
    Gauge,
    /// Counts by bounds.
    Histogram,
}

/// A page of numbers.
#[derive(Debug, Default)]
pub struct Page(String);

/// One family on it.
#[derive(Debug)]
pub struct Family<'a> {
    page: &'a mut String,
    name: &'static str,
}

impl Page {
    /// Begins a family.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        line(&mut self.0, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
        Family { page: &mut self.0, name }
    }

    /// The page.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// The only number.
    pub fn is(&mut self, number: u64) -> &mut Self {
        line(self.page, format_args!("{} {number}", self.name));
        self
    }

    /// The number of some labels.
    pub fn with(&mut self, labels: &[(&str, &str)], number: u64) -> &mut Self {
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        line(self.page, format_args!("{}{{{}}} {number}", self.name, labels.join(",")));
        self
    }

    /// How many were at most so large.
    pub fn bucket(&mut self, bound: &str, count: u64) -> &mut Self {
        line(self.page, format_args!("{}_bucket{{le=\"{bound}\"}} {count}", self.name));
        self
    }

    /// The sum of a histogram, and how many there were.
    pub fn sum(&mut self, sum: &str, count: u64) -> &mut Self {
        line(self.page, format_args!("{name}_sum {sum}\n{name}_count {count}", name = self.name));
        self
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a text does not fail.
    let _ = writeln!(page, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_its_help_its_kind_and_a_line_a_number() {
        let mut page = Page::default();
        page.family("up", Kind::Gauge, "whether").with(&[("a", "1"), ("b", "x")], 1).with(&[("a", "2")], 0);
        page.family("all", Kind::Counter, "how many").is(7);
        let told = "# HELP up whether\n# TYPE up gauge\nup{a=\"1\",b=\"x\"} 1\nup{a=\"2\"} 0\n\
                    # HELP all how many\n# TYPE all counter\nall 7\n";
        assert_eq!(page.into_string(), told);
    }

    #[test]
    fn a_value_of_a_label_cannot_end_its_line_or_its_quotes() {
        let mut page = Page::default();
        page.family("x", Kind::Gauge, "y").with(&[("name", "a\"b\\c\nd")], 1);
        assert!(page.into_string().ends_with("x{name=\"a\\\"b\\\\c\\nd\"} 1\n"));
    }
}

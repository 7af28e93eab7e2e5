//! HTML that cannot be broken out of: markup comes from the program only, everything else is escaped.

use std::fmt::Write;

/// Characters that change the direction of the text around them, or hide in it: shown as a replacement mark, so that
/// nothing on the page reads in another order than it was written.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A piece of HTML.
#[derive(Debug, Default, Clone)]
pub(super) struct Html(String);

impl Html {
    /// Markup, which only the program's own text can be.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, escaped for content and for quoted attributes alike.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c if is_deceptive(c) => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        self
    }

    /// A number.
    pub(super) fn number(&mut self, number: i64) -> &mut Self {
        // Writing to a string does not fail.
        let _ = write!(self.0, "{number}");
        self
    }

    /// An element with text in it.
    pub(super) fn el(&mut self, open: &'static str, text: &str, close: &'static str) -> &mut Self {
        self.raw(open).text(text).raw(close)
    }

    /// Words that a person wrote, kept apart from the direction of what stands around them.
    pub(super) fn said(&mut self, text: &str) -> &mut Self {
        self.raw("<bdi>").text(text).raw("</bdi>")
    }

    /// Another piece.
    pub(super) fn add(&mut self, other: &Self) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    /// The text that goes out.
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let mut html = Html::default();
        html.text("<script>alert('x')</script>\" onload=\"\u{202e}gpj.exe");
        let text = html.into_string();
        assert!(!text.contains('<') && !text.contains('"') && !text.contains('\'') && !text.contains('\u{202e}'));
        assert!(text.starts_with("&lt;script&gt;alert(&#39;x&#39;)"));
    }
}

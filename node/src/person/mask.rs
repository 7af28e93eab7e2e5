//! What the API shows of a person until somebody gives a reason: 张**, 138****1234, 3306**********1234.

/// A name: its first character stays.
pub fn name(text: &str) -> String {
    let mut chars = text.trim().chars();
    match chars.next() {
        Some(first) => format!("{first}{}", "*".repeat(chars.count().clamp(1, 4))),
        None => String::new(),
    }
}

/// A number of a phone or a document: the first three (four of a document) and the last four characters stay, if as many
/// are hidden between them; a shorter one is hidden whole.
pub fn number(text: &str) -> String {
    let plain: Vec<char> = text.trim().chars().collect();
    let head = if plain.len() >= IDENTITY_DIGITS_MIN { 4 } else { 3 };
    if plain.len() < head + TAIL + HIDDEN_MIN {
        return "*".repeat(plain.len());
    }
    let hidden = plain.len() - head - TAIL;
    let (start, end): (String, String) =
        (plain.iter().take(head).collect(), plain.iter().skip(head + hidden).collect());
    format!("{start}{}{end}", "*".repeat(hidden))
}

/// An address: hidden, but for whether there is one.
pub fn address(text: &str) -> String {
    if text.trim().is_empty() { String::new() } else { "****".to_owned() }
}

/// A narrative or a note: the names given are masked wherever they stand, and so is every number long enough to be
/// a phone's or a document's.
pub fn prose<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let mut names: Vec<&str> = names.into_iter().map(str::trim).filter(|n| n.chars().count() >= 2).collect();
    // The longest first: 欧阳修远 is not 欧阳 with a tail.
    names.sort_by_key(|n| std::cmp::Reverse(n.len()));
    let named = names.into_iter().fold(text.to_owned(), |text, known| text.replace(known, &name(known)));
    numbers(&named)
}

const TAIL: usize = 4;
const HIDDEN_MIN: usize = 3;
const IDENTITY_DIGITS_MIN: usize = 15;
/// Digits in a row that may be a phone's.
const DIGITS_MIN: usize = 7;

fn numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars() {
        let in_number = c.is_ascii_digit() || ('\u{FF10}'..='\u{FF19}').contains(&c);
        let within = !run.is_empty() && matches!(c, '-' | ' ' | 'X' | 'x');
        if in_number || within {
            run.push(c);
            continue;
        }
        flush(&mut shown, &mut run);
        shown.push(c);
    }
    flush(&mut shown, &mut run);
    shown
}

fn flush(shown: &mut String, run: &mut String) {
    let digits = run.chars().filter(|c| !matches!(c, '-' | ' ')).count();
    if digits >= DIGITS_MIN {
        let kept = run.trim_end_matches(['-', ' ']);
        let plain: String = kept.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        shown.push_str(&number(&plain));
        shown.push_str(&run[kept.len()..]);
    } else {
        shown.push_str(run);
    }
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_masked_from_seven_digits_on_and_whole_where_too_few_would_be_hidden() {
        assert_eq!(prose("123456 1234567", []), "123******4567", "a run with a blank in it is one number");
        assert_eq!((prose("号123456号", []), prose("号1234567号", [])), ("号123456号".into(), "号*******号".into()));
        assert_eq!((number("123456789"), number("1234567890")), ("*********".into(), "123***7890".into()));
        assert_eq!(
            (number("12345678901234"), number("123456789012345")),
            ("123*******1234".into(), "1234*******2345".into())
        );
    }

    #[test]
    fn names_and_numbers_keep_as_much_as_tells_them_apart() {
        assert_eq!(name("张三丰"), "张**");
        assert_eq!(name("张"), "张*");
        assert_eq!(name(""), "");
        assert_eq!(number("13812341234"), "138****1234");
        assert_eq!(number("330602199001011234"), "3306**********1234");
        assert_eq!(number("12345"), "*****");
        assert_eq!(address("城南新村3幢"), "****");
    }

    #[test]
    fn prose_loses_names_and_numbers_but_not_its_sense() {
        let text = "张三与李四争吵,电话13812341234,身份证33060219900101123X。赔偿2026年5月付12000元。";
        assert_eq!(
            prose(text, ["张三", "李四", "王"]),
            "张*与李*争吵,电话138****1234,身份证3306**********123X。赔偿2026年5月付12000元。"
        );
        assert_eq!(prose("拨打 138-1234-1234 即可", []), "拨打 138****1234 即可");
        assert_eq!(prose("号码１３８１２３４１２３４", []), "号码１３８****１２３４");
        assert_eq!(prose("欧阳修远来过", ["欧阳", "欧阳修远"]), "欧***来过");
    }
}

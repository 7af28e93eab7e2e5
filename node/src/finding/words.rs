//! Words of cases, as they are looked for: runs of letters and digits, and the initials of their pinyin.

use std::collections::BTreeSet;

use pinyin::ToPinyinMulti;
use protocol::event::PaperNumber;

/// One thing that a signature holds: a character, a pair of neighbours, two or three initials of neighbours, or the number of an
/// agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Gram(pub(crate) u64);

const CHARACTER: u64 = 1 << 56;
const PAIR: u64 = 2 << 56;
const INITIALS: u64 = 3 << 56;
const PAPER: u64 = 4 << 56;

impl Gram {
    fn character(one: char) -> Self {
        Self(CHARACTER | u64::from(one))
    }

    fn pair(one: char, other: char) -> Self {
        Self(PAIR | (u64::from(one) << 21) | u64::from(other))
    }

    /// A number in the books of a committee, whichever that is.
    fn paper(year: u16, number: u32) -> Self {
        Self(PAPER | (u64::from(year) << 32) | u64::from(number))
    }

    /// Two or three letters: none of them is zero, so their number is told too.
    fn initials(letters: &[u8]) -> Self {
        Self(INITIALS | letters.iter().fold(0, |all, letter| (all << 8) | u64::from(*letter)))
    }
}

/// The letters and digits with which a character may begin when it is spoken, as bits.
type Sounds = u64;

/// The bit of a letter or digit.
fn sound(c: char) -> Sounds {
    match c {
        'a'..='z' => 1 << (u32::from(c) - u32::from('a')),
        '0'..='9' => 1 << (26 + u32::from(c) - u32::from('0')),
        _ => 0,
    }
}

/// All readings of a character: 曾 is found by z and by c.
fn sounds(c: char) -> Sounds {
    let readings = c.to_pinyin_multi().into_iter().flatten();
    let spoken = readings.filter_map(|reading| reading.plain().chars().next()).fold(0, |all, first| all | sound(first));
    spoken | sound(c)
}

/// The letters of some bits.
fn letters(sounds: Sounds) -> impl Iterator<Item = u8> {
    (b'a'..=b'z')
        .chain(b'0'..=b'9')
        .enumerate()
        .filter(move |(bit, _)| sounds >> bit & 1 == 1)
        .map(|(_, letter)| letter)
}

/// A character as it is compared: full width as half width, capitals as small letters; none for what only parts words.
fn plain(c: char) -> Option<char> {
    let half = match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => c,
    };
    half.is_alphanumeric().then(|| half.to_lowercase().next().unwrap_or(half))
}

/// Runs of letters and digits.
fn runs(text: &str) -> Vec<Vec<char>> {
    let mut runs = vec![Vec::new()];
    for c in text.chars() {
        match (plain(c), runs.last_mut()) {
            (Some(c), Some(run)) => run.push(c),
            (None, Some(run)) if !run.is_empty() => runs.push(Vec::new()),
            _ => {}
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// A text that names an agreement, as lists do (2026-12) and as it is printed (（2026）柯桥区…调字第12号).
pub(crate) fn paper(typed: &str) -> Option<Gram> {
    let runs = runs(typed);
    let [year, .., last] = runs.as_slice() else { return None };
    let number = |digits: &[char]| digits.iter().collect::<String>().parse::<u32>().ok();
    let year = u16::try_from(number(year)?).ok().filter(|_| year.len() == 4)?;
    let printed = last.strip_suffix(&['号']).and_then(|rest| rest.rsplit(|c| *c == '第').next());
    Some(Gram::paper(year, number(printed.unwrap_or(last))?))
}

/// What is searched in a case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    runs: Vec<Vec<char>>,
    spoken: Vec<Vec<Sounds>>,
    papers: Vec<Gram>,
}

impl Words {
    /// Adds text that is found by its characters.
    pub(crate) fn put(&mut self, text: &str) {
        self.runs.extend(runs(text));
    }

    /// Adds text that is found by its initials too: titles and names, which are short. A narrative would be found by any.
    pub(crate) fn put_short(&mut self, text: &str) {
        let new = runs(text);
        self.spoken.extend(new.iter().map(|run| run.iter().map(|c| sounds(*c)).collect()));
        self.runs.extend(new);
    }

    /// Adds the number of an agreement.
    pub(crate) fn put_paper(&mut self, paper: PaperNumber) {
        self.papers.push(Gram::paper(paper.year, paper.number));
    }

    /// Whether an agreement has this number.
    pub(crate) fn has_paper(&self, paper: Gram) -> bool {
        self.papers.contains(&paper)
    }

    /// Adds other words.
    pub(crate) fn join(&mut self, other: Self) {
        self.runs.extend(other.runs);
        self.spoken.extend(other.spoken);
        self.papers.extend(other.papers);
    }

    /// Everything that a signature of these words holds, sorted, each once.
    pub(crate) fn grams(&self) -> Vec<Gram> {
        let mut grams = self.papers.clone();
        for run in &self.runs {
            grams.extend(run.iter().map(|c| Gram::character(*c)));
            grams.extend(run.iter().zip(run.iter().skip(1)).map(|(one, other)| Gram::pair(*one, *other)));
        }
        for run in &self.spoken {
            run.windows(2).for_each(|pair| put_initials(pair, &mut grams));
            run.windows(3).for_each(|three| put_initials(three, &mut grams));
        }
        grams.sort_unstable();
        grams.dedup();
        grams
    }

    /// Pairs of neighbours alone, each once: what two texts have in common.
    pub(crate) fn pairs(&self) -> BTreeSet<Gram> {
        let pairs = |run: &Vec<char>| -> Vec<Gram> {
            run.iter().zip(run.iter().skip(1)).map(|(one, other)| Gram::pair(*one, *other)).collect()
        };
        self.runs.iter().flat_map(pairs).collect()
    }
}

/// Every way in which neighbours may begin.
fn put_initials(neighbours: &[Sounds], grams: &mut Vec<Gram>) {
    let mut ways: Vec<Vec<u8>> = vec![Vec::new()];
    for sounds in neighbours {
        ways = ways
            .into_iter()
            .flat_map(|way| letters(*sounds).map(move |letter| [way.as_slice(), &[letter]].concat()))
            .collect();
    }
    grams.extend(ways.iter().map(|way| Gram::initials(way)));
}

/// A word that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    chars: Vec<char>,
    /// The same as initials, where it can be meant so.
    spoken: Option<Vec<Sounds>>,
}

impl Word {
    /// The words in a text.
    pub(crate) fn all(text: &str) -> Vec<Self> {
        runs(text).into_iter().map(Self::of).collect()
    }

    fn of(chars: Vec<char>) -> Self {
        let initials =
            chars.len() > 1 && chars.iter().all(|c| sound(*c) != 0) && !chars.iter().all(char::is_ascii_digit);
        let spoken = initials.then(|| chars.iter().map(|c| sound(*c)).collect());
        Self { chars, spoken }
    }

    /// Whether it stands in some words, or begins neighbours of them.
    pub(crate) fn is_in(&self, words: &Words) -> bool {
        let written = words.runs.iter().any(|run| run.windows(self.chars.len()).any(|part| part == self.chars));
        let begins = |spoken: &Vec<Sounds>| {
            let fits = |part: &[Sounds]| part.iter().zip(spoken).all(|(sounds, wanted)| sounds & wanted != 0);
            words.spoken.iter().any(|run| run.windows(spoken.len()).any(fits))
        };
        written || self.spoken.as_ref().is_some_and(begins)
    }

    /// What a signature of words holds in which it is written.
    pub(crate) fn written(&self) -> Vec<Gram> {
        let written = Words { runs: vec![self.chars.clone()], ..Words::default() };
        // A pair says more than its characters, so pairs are asked for first.
        written.grams().into_iter().rev().collect()
    }

    /// What a signature of words holds in which it is written or spoken: all of one of these.
    pub(crate) fn wanted(&self) -> Vec<Vec<Gram>> {
        let mut ways = vec![self.written()];
        if let Some(spoken) = &self.spoken {
            let of = spoken.len().min(3);
            let mut grams = Vec::new();
            spoken.windows(of).for_each(|part| put_initials(part, &mut grams));
            ways.push(grams);
        }
        ways
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(text: &str) -> Words {
        let mut words = Words::default();
        words.put_short(text);
        words
    }

    fn is_in(word: &str, words: &Words) -> bool {
        let all = Word::all(word);
        // Whatever is found must be in the signature too, else it would never be looked at.
        for word in all.iter().filter(|word| word.is_in(words)) {
            let held = words.grams();
            assert!(word.wanted().iter().any(|way| way.iter().all(|gram| held.contains(gram))), "{word:?}");
        }
        !all.is_empty() && all.iter().all(|word| word.is_in(words))
    }

    #[test]
    fn the_number_of_an_agreement_is_read_as_lists_tell_it_and_as_it_is_printed() {
        let of = Some(Gram::paper(2026, 12));
        for typed in ["2026-12", "2026－12", "（2026）柯桥区综治中心调字第12号", "(2026)调字第12号"] {
            assert_eq!(paper(typed), of, "{typed}");
        }
        for typed in ["2026", "12", "26-12", "2026-12a", "2026-第号", "2026-99999999999", "漏水 12"] {
            assert_eq!(paper(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_name_is_found_by_its_characters_and_by_the_initials_of_its_pinyin() {
        let name = short("张三林");
        for word in ["张三林", "三林", "张", "zsl", "ZSL", "sl", "ＺＳＬ"] {
            assert!(is_in(word, &name), "{word}");
        }
        for word in ["张林", "zl", "lsz", "z", "zsls"] {
            assert!(!is_in(word, &name), "{word}");
        }
    }

    #[test]
    fn a_character_of_several_readings_is_found_by_each() {
        let name = short("单曾解");
        for word in ["szx", "dcj", "scx"] {
            assert!(is_in(word, &name), "{word}");
        }
    }

    #[test]
    fn a_long_text_is_found_by_its_characters_and_not_by_initials() {
        let mut text = Words::default();
        text.put("张三林与邻居争吵");
        assert!(is_in("邻居争吵", &text));
        assert!(!is_in("zsl", &text));
    }

    #[test]
    fn signs_part_words_and_nothing_is_found_across_them() {
        let text = short("漏水。赔偿");
        assert!(is_in("漏水 赔偿", &text) && is_in("漏水,赔偿", &text));
        assert!(!is_in("水赔", &text));
    }

    #[test]
    fn latin_words_and_numbers_are_found_as_they_are() {
        let text = short("WiFi 5 号楼302室");
        for word in ["wifi", "302", "楼302", "3"] {
            assert!(is_in(word, &text), "{word}");
        }
        assert!(!is_in("303", &text));
    }

    #[test]
    fn nothing_but_signs_is_no_word() {
        assert_eq!(Word::all("*** -- 、"), []);
    }

    #[test]
    fn grams_of_initials_differ_by_their_letters_and_their_order() {
        let all = [&b"ab"[..], b"ba", b"abc", b"cab", b"aab"].map(Gram::initials);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert!(all.iter().all(|gram| gram.0 >> 56 == 3));
    }
}

//! A whole volume, in the fonts that Debian has for Chinese.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use paper::{Block, Bound, Document, Face, Fonts, Leaf, Mark, Row, Scan, Trouble, Volume};

/// The simplified Chinese face of the collections.
const SIMPLIFIED: u32 = 2;

fn fonts() -> Fonts {
    let face = |name: &str| {
        let path = Path::new("/usr/share/fonts/opentype/noto").join(name);
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; make setup-test", path.display()));
        vec![Face::read(Arc::new(bytes), SIMPLIFIED).expect("a face")]
    };
    Fonts { regular: face("NotoSerifCJK-Regular.ttc"), bold: face("NotoSansCJK-Bold.ttc") }
}

/// Bound with no code on any page.
fn bind(volume: &Volume, fonts: &Fonts) -> Result<Bound, Trouble> {
    paper::bind(volume, fonts, &|_| None)
}

fn document(name: &str, blocks: Vec<Block>) -> Document {
    Document { name: name.into(), note: String::new(), blocks }
}

fn words(times: usize) -> String {
    "双方当事人因房屋漏水发生纠纷,经人民调解委员会主持,自愿达成如下协议。".repeat(times)
}

fn volume(documents: Vec<Document>) -> Volume {
    let cover = vec![
        Block::Title("人民调解卷宗".into()),
        Block::Fields(vec![("卷号".into(), "(2026)越人调字第101号".into()), ("调解员".into(), "李四".into())]),
    ];
    let index = ["卷内目录", "序号", "文书名称", "页号", "备注"].map(String::from);
    let (title, language) = ("人民调解卷宗".into(), "zh-CN".into());
    Volume { title, language, cover: Some(cover), index, documents, back: vec![Block::Title("封底".into())] }
}

/// What a reader finds on each page.
fn read(pdf: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("volume.pdf");
    std::fs::write(&path, pdf).expect("written");
    let told =
        Command::new("pdftotext").arg("-layout").arg(&path).arg("-").output().expect("pdftotext; make setup-test");
    assert!(told.status.success(), "{told:?}");
    String::from_utf8(told.stdout).expect("text").split('\u{c}').map(str::to_owned).collect()
}

fn three() -> Vec<Document> {
    let rows = (1..=60).map(|n| vec![n.to_string(), "张三".into(), words(1)]).collect();
    let head = ["序号", "姓名", "内容"].map(String::from).to_vec();
    vec![
        document("人民调解申请书", vec![Block::Title("申请书".into()), Block::Text(words(3))]),
        document("调解记录", vec![Block::Title("调解记录".into()), Block::Text(words(60))]),
        document("履行登记表", vec![Block::Table { widths: vec![1, 2, 8], head, rows }]),
        document("调解协议书", vec![Block::Text(words(2))]),
    ]
}

#[test]
fn the_index_names_the_page_on_which_each_document_begins() {
    let bound = bind(&volume(three()), &fonts()).expect("bound");
    assert!(bound.missing.is_empty(), "{:?}", bound.missing);
    let pages = read(&bound.pdf);
    let index = pages.get(1).expect("an index");
    for (document, range) in three().iter().zip(&bound.pages) {
        let line = index.lines().find(|line| line.contains(&document.name)).expect("a line of the index");
        assert!(
            line.split_whitespace().any(|word| word.split('-').next() == Some(&range.start().to_string())),
            "{line}"
        );
        // Behind cover and index.
        let first = pages.get(1 + range.start()).expect("the page");
        let printed: String = first.split_whitespace().collect();
        assert!(printed.ends_with(&format!("—{}—", range.start())), "{first}");
    }
    assert!(bound.pages.windows(2).all(|pair| pair[0].end() + 1 == *pair[1].start()), "{:?}", bound.pages);
    assert!(bound.pages[1].clone().count() > 1 && bound.pages[2].clone().count() > 1);
}

#[test]
fn one_volume_gives_the_same_bytes_each_time() {
    let make = || bind(&volume(three()), &fonts()).expect("bound").pdf;
    assert_eq!(make(), make());
}

#[test]
fn everything_that_was_written_is_read_again() {
    let text = "第一条:甲方于2026年3月1日前支付20,000元(大写:贰万元整)。O'Neill & <b>=SUM(A1)</b>";
    let bound = bind(&volume(vec![document("协议", vec![Block::Text(text.into())])]), &fonts()).expect("bound");
    let all: String = read(&bound.pdf).concat().split_whitespace().collect();
    let wanted: String = text.split_whitespace().collect();
    assert!(all.contains(&wanted), "{all}");
}

#[test]
fn a_character_that_no_font_has_is_told() {
    let blocks = vec![Block::Text("张\u{13000}".into())];
    let bound = bind(&volume(vec![document("协议", blocks)]), &fonts()).expect("bound");
    assert_eq!(bound.missing.into_iter().collect::<Vec<_>>(), ['\u{13000}']);
}

#[test]
fn a_word_longer_than_a_line_stays_within_the_page() {
    let blocks = vec![Block::Text("x".repeat(400)), Block::Fields(vec![("网址".into(), "y".repeat(300))])];
    let bound = bind(&volume(vec![document("协议", blocks)]), &fonts()).expect("bound");
    let page = read(&bound.pdf).get(2).cloned().expect("a page");
    let longest = page.lines().map(|line| line.trim().len()).max();
    assert!(page.matches('x').count() == 400 && page.matches('y').count() == 300, "{page}");
    assert!(longest < Some(80), "{page}");
}

#[test]
fn a_row_is_divided_only_when_no_page_could_hold_it() {
    let table = |cells: Vec<usize>| {
        let rows = cells.iter().enumerate().map(|(n, times)| vec![n.to_string(), words(*times)]).collect();
        let head = ["序号", "内容"].map(String::from).to_vec();
        let made = volume(vec![document("登记表", vec![Block::Table { widths: vec![1, 8], head, rows }])]);
        let pages = read(&bind(&made, &fonts()).expect("bound").pdf);
        let ends: Vec<usize> = pages.iter().skip(2).map(|page| page.matches('。').count()).collect();
        ends.into_iter().filter(|count| *count > 0).collect::<Vec<_>>()
    };
    assert_eq!(table(vec![20, 20, 20]), [20, 20, 20]);
    let long = table(vec![200]);
    assert!(long.len() > 2 && long.iter().sum::<usize>() == 200, "{long:?}");
}

#[test]
fn a_picture_that_cannot_be_read_is_named() {
    let scan = Scan { name: "身份证.jpg".into(), bytes: Arc::new(b"no picture".to_vec()) };
    let told = bind(&volume(vec![document("证据", vec![Block::Scan(scan)])]), &fonts());
    assert_eq!(told, Err(Trouble::Picture { name: "身份证.jpg".into() }));
}

#[test]
fn each_page_carries_the_mark_of_its_place() {
    let made = volume(vec![document("调解记录", vec![Block::Text(words(60))]), document("协议", vec![])]);
    let mark = |leaf: Leaf| {
        let label = format!("{}-{}/{}", leaf.document, leaf.page + 1, leaf.pages);
        (leaf.document == 0).then(|| Mark { code: label.clone(), label })
    };
    let pages = read(&paper::bind(&made, &fonts(), &mark).expect("bound").pdf);
    // Behind cover and index.
    let of = |page: usize| pages.get(page).cloned().unwrap_or_default();
    assert!(of(2).contains("0-1/3") && of(3).contains("0-2/3") && of(4).contains("0-3/3"), "{pages:?}");
    assert!(!of(5).contains("/1"), "{}", of(5));
    let long = |_| Some(Mark { code: "x".repeat(5_000), label: String::new() });
    assert_eq!(paper::bind(&made, &fonts(), &long), Err(Trouble::Code));
}

#[test]
fn a_long_row_of_a_form_goes_on_on_the_next_page_with_its_foot_at_the_end() {
    let row = |name: &str, value: String, lines, foot: &[&str]| Row {
        fields: vec![(name.into(), value)],
        lines,
        foot: foot.iter().map(|text| (*text).to_owned()).collect(),
    };
    let form = Block::Form(vec![
        Row {
            fields: vec![("登记日期".into(), "2026年3月1日".into()), ("来源".into(), "网格".into())],
            ..Row::default()
        },
        row("简要情况", words(100), 1, &["登记人：", "2026年3月1日"]),
    ]);
    let pages = read(&bind(&volume(vec![document("登记表", vec![form])]), &fonts()).expect("bound").pdf);
    let body: Vec<&String> =
        pages.iter().skip(2).filter(|page| page.contains('。') || page.contains("登记人")).collect();
    assert!(body.len() > 2, "{pages:?}");
    assert_eq!(body.iter().map(|page| page.matches('。').count()).sum::<usize>(), 100);
    let last = body.last().expect("a page");
    assert!(last.contains("登记人：") && !body[0].contains("登记人："), "{last}");
}

#[test]
fn lines_of_a_paragraph_end_at_the_same_place() {
    let text = format!("{}A1b2c3。{}", "调".repeat(20), "解".repeat(110));
    let bound = bind(&volume(vec![document("协议", vec![Block::Text(text)])]), &fonts()).expect("bound");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("volume.pdf");
    std::fs::write(&path, &bound.pdf).expect("written");
    let told = Command::new("pdftotext").args(["-bbox-layout", "-f", "3", "-l", "3"]).arg(&path).arg("-").output();
    let told = String::from_utf8(told.expect("pdftotext; make setup-test").stdout).expect("text");
    let ends: Vec<f32> = told
        .lines()
        .filter(|line| line.contains("<line "))
        .filter_map(|line| line.split("xMax=\"").nth(1)?.split('"').next()?.parse().ok())
        .collect();
    assert!(ends.len() > 3 && (ends[0] - ends[1]).abs() < 0.6 && (ends[1] - ends[2]).abs() < 0.6, "{ends:?}");
}

#[test]
fn nobody_signs_a_sheet_on_which_nothing_else_stands() {
    let signed = |lines: usize| {
        let names = vec!["当事人（签名、盖章或按指印）".to_owned(), "调解员（签名）".to_owned()];
        let text = (0..lines).map(|n| format!("第{n}段。")).collect::<Vec<_>>().join("\n");
        let blocks = vec![Block::Text(text), Block::Signatures(names), Block::End("2026年3月1日".into())];
        read(&bind(&volume(vec![document("告知书", blocks)]), &fonts()).expect("bound").pdf)
    };
    for lines in 18..30 {
        let pages = signed(lines);
        let last = pages.iter().find(|page| page.contains("调解员（签名）")).expect("a place to sign");
        assert!(last.contains(&format!("第{}段。", lines - 1)), "{lines}: {last}");
        assert!(last.contains("2026年3月1日"), "{last}");
    }
}

#[test]
fn short_names_of_who_signs_share_a_line() {
    let names = ["当事人（签名、盖章或按指印）", "调解员（签名）", "记录人（签名）"].map(str::to_owned).to_vec();
    let blocks = vec![Block::Signatures(names)];
    let pages = read(&bind(&volume(vec![document("协议", blocks)]), &fonts()).expect("bound").pdf);
    let page = pages.get(2).expect("a page");
    assert!(
        page.lines().any(|line| line.contains("调解员") && line.contains("记录人") && !line.contains("当事人")),
        "{page}"
    );
}

//! `dossier`: the whole dossier of a case with long records, from what a node holds to the PDF, beside what somebody waits for who
//! stands at a printer.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Instant;

use casework::document::{Desk, Names, Story};
use casework::{Actor, Command, Intake, Known, Role};
use protocol::bounded::Text;
use protocol::division::DivisionCode;
use protocol::event::Outcome;
use protocol::id::{CaseId, NodeId};
use protocol::unit::UnitCode;
use wuji::documents::{Job, PRESS};
use wuji::folder::Folder;
use wuji::node::{Plan, Running, found};

use super::{Failure, Results};
use crate::line::{PATH, case_id, report};

/// Notes of the work, and characters of each: what fills some sixty pages.
const NOTES: (usize, usize) = (14, 3_900);
/// How often it is made.
const TIMES: u32 = 20;
/// For sixty pages a second.
const MS_A_PAGE: f64 = 1_000.0 / 60.0;
/// For sixty pages a MiB.
const KIB_A_PAGE: f64 = 1_024.0 / 60.0;

struct Plain;

impl Names for Plain {
    fn division(&self, division: DivisionCode) -> String {
        division.to_string()
    }

    fn node(&self, _: NodeId) -> String {
        "塔山街道".to_owned()
    }
}

/// Makes the case, and its dossier again and again.
pub async fn measure(root: &Path, results: &mut Results) -> Result<(), Failure> {
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let folder = Folder::new(root.join("dossier"));
    let (division, name, advertise) = (PATH[0].parse()?, "dossier".to_owned(), "127.0.0.1:1".to_owned());
    found(&folder, &Plan { division, name, link: any, advertise, http: any, database: None }).await?;
    let node = Running::start(folder).await?;
    let case = worked(&node).await?;
    let known = Known::assemble(case, node.store.records(case).await?);
    let (mut pages, mut bytes, mut slowest) = (0, 0, 0.0_f64);
    let began = Instant::now();
    for _ in 0..TIMES {
        let one = Instant::now();
        let bound = PRESS.bind(&node.config.papers, job(&node, &known)?).await?;
        slowest = slowest.max(one.elapsed().as_secs_f64());
        (pages, bytes) = (bound.pages.last().map_or(0, |range| *range.end()), bound.pdf.len());
    }
    let mean = began.elapsed().as_secs_f64() / f64::from(TIMES);
    node.stop().await?;
    #[expect(clippy::cast_precision_loss, reason = "some hundred pages, some megabytes")]
    let (pages, kib) = (pages as f64, bytes as f64 / 1_024.0);
    results.line("dossier_pages", pages, "pages", "pages wanted", 60.0)?;
    results.at_most("dossier_mean", mean * 1_000.0 / pages, "ms/page", MS_A_PAGE)?;
    results.at_most("dossier_slowest", slowest * 1_000.0 / pages, "ms/page", MS_A_PAGE)?;
    results.at_most("dossier_size", kib / pages, "KiB/page", KIB_A_PAGE)
}

fn job(node: &Running, known: &Known) -> Result<Job, Failure> {
    let held = node.shared.in_force();
    let story = Story::of(known).ok_or("the case is not here")?;
    Ok(Job::dossier(&story, &Desk { me: node.config.node.id, holds: &held, names: &Plain }))
}

async fn worked(node: &Running) -> Result<CaseId, Failure> {
    let by = Actor::everywhere("bench", "bench", &[Role::GridWorker]);
    let intake: Intake = serde_json::from_value(report(&case_id(), 20, "settle_here"))?;
    let case = intake.case;
    node.port.report(intake, by.clone()).await?;
    let words: String = "双方当事人到场，就漏水责任和维修费用分别陈述意见，调解员释明法律规定。"
        .chars()
        .cycle()
        .take(NOTES.1)
        .collect();
    let note: Text<4000> = Text::cut(&words);
    let notes = std::iter::repeat_n(Command::Progress { note }, NOTES.0);
    let begin = [Command::File, Command::Assign { unit: UnitCode(1), note: Text::default() }];
    let end = [
        Command::Resolve { outcome: Outcome::Successful, terms: Text::cut(&words), amount_fen: Some(350_000) },
        Command::fed_back(Text::cut("已电话回访")),
        Command::Assess { score: 5, note: Text::cut("及时") },
    ];
    for command in begin.into_iter().chain(notes).chain(end) {
        node.port.act(case, command, by.clone()).await?;
    }
    Ok(case)
}

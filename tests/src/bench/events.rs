//! Events of cases that many people work on at once, from the grid to the city.
//!
//! An event is a progress note on an orange case: a header of some 600 bytes that every level on the way verifies, applies
//! to its mirror and keeps, with the fact and the receipts that follow. It counts when the city has committed it.

use std::time::{Duration, Instant};

use casework::{Actor, Command, Intake, Known, Role};
use protocol::bounded::Text;
use protocol::id::CaseId;
use protocol::unit::UnitCode;
use wuji::node::Running;

use super::{Failure, cost};
use crate::line::{case_id, report};

/// Events of a case that is ready to be worked on.
const OPENED: u32 = 3;
/// How long the last event may take to arrive.
const PATIENCE: Duration = Duration::from_secs(120);
/// A summary that makes a header as long as events are said to be.
const SUMMARY: &str =
    "业主与物业公司因电梯维修费用发生争执，多名业主扬言集体上访，社区已组织双方到场调解，等待街道派员。";

/// What arrived, and how fast.
#[derive(Debug, Clone, Copy)]
pub struct Arrived {
    /// Events.
    pub events: f64,
    /// Seconds from the first request to the commit of the last at the city.
    pub seconds: f64,
    /// Processor time of all five nodes and of what asks them, microseconds an event.
    pub cpu_us: f64,
}

fn actor() -> Actor {
    Actor::everywhere("bench", "bench", &[Role::GridWorker, Role::Clerk, Role::Mediator])
}

/// Opens cases at the grid, brings them to where somebody works on them, and waits until the city has them.
pub async fn open(grid: &Running, city: &Running, count: usize) -> Result<Vec<CaseId>, Failure> {
    let mut cases = Vec::with_capacity(count);
    for _ in 0..count {
        let mut report = report(&case_id(), 20, "settle_here");
        report["summary"] = SUMMARY.into();
        let intake: Intake = serde_json::from_value(report)?;
        let case = intake.case;
        grid.port.report(intake, actor()).await?;
        grid.port.act(case, Command::File, actor()).await?;
        let assign = Command::Assign { unit: UnitCode::NODE_ITSELF, note: Text::default() };
        grid.port.act(case, assign, actor()).await?;
        cases.push(case);
    }
    wait(city, &cases, OPENED).await?;
    Ok(cases)
}

/// Lets one person on each case note progress, one note after another, and waits for the city.
pub async fn run(grid: &Running, city: &Running, cases: &[CaseId], events_a_case: u32) -> Result<Arrived, Failure> {
    let me = std::process::id();
    let (began, before) = (Instant::now(), cost::cpu(me)?);
    let mut people = tokio::task::JoinSet::new();
    for case in cases.iter().copied() {
        let port = grid.port.clone();
        people.spawn(async move {
            for n in 0..events_a_case {
                let note = Text::cut(&format!("第{n}次上门走访，双方同意周五下午到社区调解室面谈。"));
                port.act(case, Command::Progress { note }, actor()).await?;
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(done) = people.join_next().await {
        done??;
    }
    wait(city, cases, OPENED + events_a_case).await?;
    let (seconds, spent) = (began.elapsed().as_secs_f64(), (cost::cpu(me)? - before).as_secs_f64() * 1e6);
    let events = f64::from(events_a_case) * f64::from(u32::try_from(cases.len())?);
    Ok(Arrived { events, seconds, cpu_us: spent / events })
}

/// Waits until every case stands at its last event.
async fn wait(city: &Running, cases: &[CaseId], number: u32) -> Result<(), Failure> {
    let began = Instant::now();
    for case in cases {
        while Known::assemble(*case, city.store.records(*case).await?).case().map(|case| case.head.number)
            != Some(number)
        {
            if began.elapsed() > PATIENCE {
                return Err(format!("{case} has not arrived").into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    Ok(())
}

//! `storm`: the parent of many restarts, as it does for an update, and as after a power cut. All children come back at
//! once; some have a new red case.

use std::path::Path;
use std::time::{Duration, Instant};

use casework::InForce;
use protocol::directory::Ancestor;
use protocol::wire::bundle::Urgency;
use wuji::demo::percentile;
use wuji::folder::Folder;

use super::child::Child;
use super::crowd::{Back, Crowd};
use super::links::{UP_MAX, crowd, raise, start};
use super::{Failure, Results};
use crate::process::Node;

/// Children of the parent.
const CHILDREN: usize = 5_000;
/// Of so many, one has a red case.
const ONE_OF: usize = 100;
/// Most seconds from the word to stop until all are back.
const PLANNED_S: f64 = 20.0;
/// Most seconds from kill -9 until all are back.
const KILLED_S: f64 = 60.0;
/// Most seconds from a child's link coming up until its red case is durable at the parent.
const RED_S: f64 = 2.0;
/// A process that was told to stop ends within this time.
const STOPS: Duration = Duration::from_secs(60);
/// Between the two restarts.
const RESTS: Duration = Duration::from_secs(10);

/// Measures both restarts.
pub async fn measure(root: &Path, results: &mut Results) -> Result<(), Failure> {
    let (mut parent, children) = raise(root, CHILDREN).await?;
    let mut crowd = crowd(&parent, &children)?;
    crowd.wait(Instant::now(), 0, UP_MAX).await?;

    crowd.forget();
    let planned = Instant::now();
    parent.signal("TERM");
    parent.ended(STOPS).await;
    let red = red_cases(&parent, &children, &crowd)?;
    start(&mut parent).await;
    tell("planned", crowd.wait(planned, red, UP_MAX).await?, PLANNED_S, results)?;

    // What the first restart has set going has come to rest.
    tokio::time::sleep(RESTS).await;
    crowd.forget();
    let killed = Instant::now();
    parent.kill();
    let red = red_cases(&parent, &children, &crowd)?;
    start(&mut parent).await;
    tell("killed", crowd.wait(killed, red, UP_MAX).await?, KILLED_S, results)?;
    crowd.stop().await;
    Ok(())
}

/// Gives some children a new red case each; how many.
fn red_cases(parent: &Node, children: &[Child], crowd: &Crowd) -> Result<usize, Failure> {
    let top = Child::of(&Folder::new(&parent.folder))?;
    let above = Ancestor { node: top.node, division: top.division };
    let holds = InForce::shipped();
    let mut count = 0;
    for (number, child) in children.iter().enumerate().step_by(ONE_OF) {
        let headers = child.headers(above, &holds, 5)?;
        crowd.send(number, child.seal(above.node, Urgency::Red, true, headers)?)?;
        count += 1;
    }
    Ok(count)
}

fn tell(which: &str, back: Back, reach: f64, results: &mut Results) -> Result<(), Failure> {
    let (half, all) = (back.half_up.as_secs_f64(), back.all_up.as_secs_f64());
    results.at_most(&format!("storm_{which}_{CHILDREN}_back"), all, "s", reach)?;
    results.line(&format!("storm_{which}_half_of_them_back"), half, "s", "all of them", all)?;
    let mut times: Vec<f64> = back.durable.iter().map(Duration::as_secs_f64).collect();
    times.sort_by(f64::total_cmp);
    results.at_most(&format!("storm_{which}_red_case_slowest"), percentile(&times, 1.0), "s", RED_S)?;
    results.line(
        &format!("storm_{which}_red_case_p50"),
        percentile(&times, 0.5),
        "s",
        "slowest of all",
        percentile(&times, 1.0),
    )
}

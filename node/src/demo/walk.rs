//! What the people of a demo do with the cases after they were filed: townships sign for what was submitted, the city asks
//! after an orange case, one is lowered, one is struck out, and some walk all six steps to the archive.

use std::collections::BTreeMap;

use anyhow::Context;
use protocol::division::{DivisionCode, Level};
use serde_json::{Value, json};

use super::city::City;
use super::client::Client;
use super::file::FiledCase;
use super::screen::Screen;

/// Cases of each grid that go to the archive while one watches.
const WALKED_A_GRID: usize = 2;
/// From this category on a matter is no civil dispute, and people's mediation does not take it.
const FIRST_NOT_MEDIATED: u16 = 1100;
/// How often an expected arrival is looked for, and how long.
const LOOKS: u32 = 600;
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(50);

/// Logged-in people by node and name.
struct Cast<'a> {
    city: &'a City,
    password: &'a str,
    clients: BTreeMap<(DivisionCode, &'static str), Client>,
}

impl Cast<'_> {
    async fn at(&mut self, code: DivisionCode, user: &'static str) -> anyhow::Result<Client> {
        if let Some(client) = self.clients.get(&(code, user)) {
            return Ok(client.clone());
        }
        let member = self.city.at(code).context("no node of this division in the demo")?;
        let client = Client::log_in(&member.address, &self.city.log_in_name(code, user), self.password).await?;
        self.clients.insert((code, user), client.clone());
        Ok(client)
    }
}

/// Everything that the demo's people do.
pub(super) async fn the_life_of_some(
    city: &City,
    filed: &[FiledCase],
    password: &str,
    screen: &Screen,
) -> anyhow::Result<()> {
    let mut cast = Cast { city, password, clients: BTreeMap::new() };
    let submitted: Vec<&FiledCase> = filed.iter().filter(|f| f.submitted).collect();
    let progress = screen.progress("accepted", submitted.len());
    for case in &submitted {
        accept(&mut cast, case).await?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    let mut walked: BTreeMap<DivisionCode, usize> = BTreeMap::new();
    for case in filed.iter().filter(|f| f.level.as_deref() != Some("orange")) {
        let count = walked.entry(case.grid).or_default();
        if *count < WALKED_A_GRID {
            *count += 1;
            to_the_archive(&mut cast, case).await?;
        }
    }
    if let Some(case) = filed.iter().find(|f| f.level.as_deref() == Some("orange") && f.submitted) {
        an_order_from_the_city(&mut cast, case).await?;
        screen.say("the city's directive on an orange case was read and answered at the township");
    }
    Ok(())
}

/// The division whose node owns a case after it was accepted.
fn owner(case: &FiledCase) -> DivisionCode {
    let mut code = case.grid;
    while case.submitted && code.level() > Level::Township {
        match code.parent() {
            Some(parent) => code = parent,
            None => break,
        }
    }
    code
}

/// Looks until something is there.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    for _ in 0..LOOKS {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    anyhow::bail!("{what} did not arrive")
}

async fn accept(cast: &mut Cast<'_>, case: &FiledCase) -> anyhow::Result<()> {
    let clerk = cast.at(owner(case), "clerk").await?;
    let path = format!("/cases/{}", case.case);
    let offer = until("an offer", async || {
        let seen = clerk.get(&path).await.unwrap_or(Value::Null);
        Ok(seen.get("offers").and_then(Value::as_array).and_then(|offers| {
            offers
                .iter()
                .find(|o| o.get("open").and_then(Value::as_bool) == Some(true))
                .and_then(|o| o.get("id")?.as_str().map(str::to_owned))
        }))
    })
    .await?;
    clerk.post(&format!("{path}/offers/{offer}/accept"), &json!({})).await?;
    until("a case", async || {
        let seen = clerk.get(&path).await?;
        Ok((seen.get("mine").and_then(Value::as_bool) == Some(true)).then_some(()))
    })
    .await
}

async fn to_the_archive(cast: &mut Cast<'_>, case: &FiledCase) -> anyhow::Result<()> {
    let home = owner(case);
    let user = if home.level() == Level::Grid { "worker" } else { "clerk" };
    let hands = cast.at(home, user).await?;
    let path = format!("/cases/{}", case.case);
    for (step, body) in [("file", json!({})), ("assign", json!({ "unit": 1, "note": "请本周内上门。" }))] {
        hands.post(&format!("{path}/{step}"), &body).await.with_context(|| format!("{step} at {home}"))?;
    }
    take_measures(&hands, &path).await.with_context(|| format!("measures at {home}"))?;
    mediate(&hands, &path).await.with_context(|| format!("a mediation at {home}"))?;
    for (step, body) in [
        ("progress", json!({ "note": "双方到场，已听取陈述。" })),
        ("resolve", json!({ "outcome": "successful", "terms": "双方达成一致，当场履行。", "amount_fen": 120_000 })),
        ("feed-back", json!({ "note": "已告知结果。", "by": "phone", "content": "content" })),
        ("assess", json!({ "score": 5, "note": "程序完整。" })),
        ("archive", json!({})),
    ] {
        hands.post(&format!("{path}/{step}"), &body).await.with_context(|| format!("{step} at {home}"))?;
    }
    Ok(())
}

/// What the level asks for at once is done and noted.
async fn take_measures(hands: &Client, path: &str) -> anyhow::Result<()> {
    let seen = hands.get(path).await?;
    for asked in seen.get("measures").and_then(Value::as_array).into_iter().flatten() {
        let body = json!({ "measure": asked.get("measure"), "note": "已按规定办理，值班人员在岗。" });
        hands.post(&format!("{path}/take-measure"), &body).await?;
    }
    Ok(())
}

/// A dispute that people's mediation may take goes by an agreement that all have signed, and is visited again.
async fn mediate(hands: &Client, path: &str) -> anyhow::Result<()> {
    let seen = hands.get(path).await?;
    let category = seen.get("category").and_then(|code| code.as_str()?.parse::<u16>().ok()).unwrap_or_default();
    if seen.get("matter").and_then(Value::as_str) != Some("dispute") || category >= FIRST_NOT_MEDIATED {
        return Ok(());
    }
    let opened = json!({ "source": "application", "committee": 1, "mediators": ["王秀兰"], "chosen": true });
    let rights = json!({ "kind": "notice_of_rights", "present": [1, 2], "record": "已告知双方在调解中的权利和义务。" });
    let session = json!({ "kind": "mediation", "present": [1, 2], "place": "调解室", "led_by": "王秀兰",
        "record": "双方陈述经过，调解员释明有关规定，双方均同意各让一步。", "result": "达成协议。" });
    let agreement = json!({ "form": "written", "parties": [1, 2], "facts": "双方因本案所述之事发生争执。",
        "issue": "责任与费用的承担。", "terms": "被申请人于七日内支付一千二百元，双方不再争执。", "manner": "转账，一次付清。",
        "amount_fen": 120_000, "mediator": "王秀兰" });
    let signed =
        json!({ "agreement": 1, "parties": [1, 2], "mediator": true, "committee": true, "mark": "fingerprint" });
    for (step, body) in [
        ("open-mediation", opened),
        ("consent", json!({ "parties": [1, 2], "agree": true })),
        ("hold", rights),
        ("hold", session),
        ("draw", agreement),
        ("sign", signed),
        ("visit-again", json!({ "agreement": 1, "kept": "fully", "note": "已付清，双方满意。" })),
    ] {
        hands.post(&format!("{path}/{step}"), &body).await.with_context(|| step.to_owned())?;
    }
    Ok(())
}

async fn an_order_from_the_city(cast: &mut Cast<'_>, case: &FiledCase) -> anyhow::Result<()> {
    let city = cast.city.top().context("a demo without a city")?.code;
    let leader = cast.at(city, "leader").await?;
    let path = format!("/cases/{}", case.case);
    until("an orange case at the city", async || Ok(leader.get(&path).await.ok())).await?;
    let order = json!({ "form": "supervise", "text": "请两日内报告处置进展。", "term_days": 2 });
    leader.post(&format!("{path}/directives"), &order).await?;
    let clerk = cast.at(owner(case), "leader").await?;
    let order = until("the directive", async || {
        let seen = clerk.get(&path).await?;
        Ok(seen
            .get("orders")
            .and_then(Value::as_array)
            .and_then(|orders| orders.first()?.get("id")?.as_str().map(str::to_owned)))
    })
    .await?;
    clerk.post(&format!("{path}/orders/{order}/read"), &json!({})).await?;
    clerk.post(&format!("{path}/orders/{order}/answer"), &json!({ "text": "已组织联合调解，情绪平稳。" })).await?;
    Ok(())
}

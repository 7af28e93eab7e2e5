//! The turns of a case, as people take them over the API of the node that has it.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::served::{Node, case_id, until};
use crate::{City, LEVELS, Retold};

/// Family names, and given names: enough of both for forty people in one case.
const FAMILIES: [&str; 10] = ["张", "李", "王", "赵", "钱", "孙", "周", "吴", "郑", "冯"];
const GIVEN: [&str; 8] = ["建国", "秀兰", "志强", "丽华", "文斌", "桂英", "海涛", "玉珍"];

/// Whoever tells one case.
pub(crate) struct Teller<'c> {
    city: &'c City,
    retold: &'c Retold,
    level: String,
    pub(crate) case: String,
    agreements: u16,
    instalments: usize,
}

fn name(number: usize) -> String {
    let (family, given) = (number % FAMILIES.len(), number / FAMILIES.len() + number % 3);
    format!("{}{}", FAMILIES[family], GIVEN[given % GIVEN.len()])
}

/// Asks a node, and waits where it says that it was asked too often.
pub(crate) async fn patiently(node: &Node, method: &str, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
    let bearer = format!("Bearer {}", node.operator);
    loop {
        let answer = node.ask(method, &format!("/api/v1{path}"), ("authorization", &bearer), body).await;
        if answer.0 != StatusCode::TOO_MANY_REQUESTS {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

impl<'c> Teller<'c> {
    /// Reports it where it began.
    pub(crate) async fn file(city: &'c City, retold: &'c Retold, number: u8) -> Self {
        let level = retold.start.clone();
        let case = case_id(number);
        let side = |n: usize| if n == 0 { "respondent" } else { "applicant" };
        let party = |n: usize| json!({ "side": side(n), "name": name(n), "phone": format!("139{:08}", n + 1) });
        let parties: Vec<Value> = (0..retold.parties).map(party).collect();
        let place = LEVELS.iter().find(|(of, _)| *of == level).map(|(_, code)| *code).expect("a level");
        let report = json!({
            "case": case, "matter": "dispute", "source": retold.source, "category": retold.category, "place": place,
            "grid_kind": "basic", "title": retold.title, "narrative": format!("{}，双方争执不下。", retold.title),
            "parties": parties, "ending": "settle_here", "head_count": retold.parties,
            "answers": { "signs": 0, "violence": "no", "petition_talk": "no", "people": retold.parties, "disturbs": "yes",
                "effort": "unknown" },
        });
        let (status, answer) = patiently(city.at(&level), "POST", "/cases", Some(&report)).await;
        assert_eq!(status, StatusCode::CREATED, "{}: {answer}", retold.id);
        Self { city, retold, level, case, agreements: 0, instalments: 0 }
    }

    fn node(&self) -> &'c Node {
        self.city.at(&self.level)
    }

    async fn act(&self, act: &str, body: Value) -> Value {
        let (status, answer) =
            patiently(self.node(), "POST", &format!("/cases/{}/{act}", self.case), Some(&body)).await;
        assert_eq!(status, StatusCode::OK, "{} {act}: {answer}", self.retold.id);
        answer
    }

    async fn seen(&self) -> Value {
        patiently(self.node(), "GET", &format!("/cases/{}", self.case), None).await.1
    }

    /// Another case of the same employer.
    pub(crate) async fn link(&self, to: &str) {
        self.act("link", json!({ "to": to, "note": "同一用人单位" })).await;
    }

    /// All its turns, its end, and the archive.
    pub(crate) async fn tell(&mut self) {
        for turn in &self.retold.turns {
            self.turn(turn).await;
        }
        self.end().await;
        self.act("feed-back", json!({ "note": "已告知办理结果", "by": "phone", "content": "content" })).await;
        self.act("assess", json!({ "score": 5, "note": "程序完整" })).await;
        self.act("archive", json!({})).await;
    }

    async fn turn(&mut self, turn: &str) {
        let (turn, of) = turn.split_once(':').unwrap_or((turn, ""));
        match turn {
            "work" => self.work().await,
            "scene" => self.hold("investigation", "到现场踏勘，测量并绘图，听取在场群众意见。").await,
            "visit_home" => self.hold("visit", "上门走访，听取意见。").await,
            "call" => self.hold("call", "分别电话沟通，说明有关规定。").await,
            "tasks" => self.tasks().await,
            "sponsor" => drop(self.act("sponsor", json!({ "name": "周建国", "office": "副镇长" })).await),
            "raise" => self.raise().await,
            "police" => {
                drop(self.act("take-measure", json!({ "measure": 2, "note": "已报告派出所值班室" })).await);
            }
            "extend" => drop(self.act("extend", json!({ "days": 10, "reason": "等待有关材料" })).await),
            "plan" => self.instalments = of.parse().expect("a number"),
            "represent" => self.represent(of.parse().expect("a number")).await,
            "fail" => self.fail(of).await,
            "refuse" => self.refuse().await,
            "agree" => self.agree().await,
            "supplement" => self.draw("补充约定：维修完工后由双方共同验收。").await,
            "renege" => drop(self.visit("not", "回访时一方表示反悔").await),
            "confirm" => self.confirm().await,
            "perform" => self.perform().await,
            "move" => self.hand_over(of).await,
            other => panic!("nobody knows the turn {other}"),
        }
    }

    /// Filed and assigned where it is not yet, and worked on.
    async fn work(&self) {
        if self.seen().await["step"] == "reported" {
            self.act("file", json!({})).await;
            self.act("assign", json!({ "unit": 1, "note": "请尽快了解情况" })).await;
        }
        self.act("progress", json!({ "note": "已联系双方，约定时间面谈。" })).await;
    }

    async fn hold(&self, kind: &str, record: &str) {
        self.act("hold", json!({ "kind": kind, "present": [1, 2], "record": record, "led_by": "王调解" })).await;
    }

    /// Units work on parts of it, side by side.
    async fn tasks(&self) {
        let given = self.seen().await["tasks"].as_array().map_or(0, Vec::len) + 1;
        for unit in [2, 3] {
            self.act("give-task", json!({ "unit": unit, "title": "协助核实情况", "due": "2099-01-01" })).await;
        }
        for task in given..given + 2 {
            self.act("report-task", json!({ "task": task, "note": "已到场核实" })).await;
            self.act("close-task", json!({ "task": task })).await;
        }
    }

    /// It came to blows: red.
    async fn raise(&self) {
        let answers = json!({ "signs": 0, "violence": "yes", "petition_talk": "no", "people": 2, "disturbs": "yes",
            "effort": "yes" });
        self.act("regrade", json!({ "answers": answers, "level": "red", "reason": "发生肢体冲突" })).await;
    }

    /// Some speak for all.
    async fn represent(&self, count: usize) {
        let spokesman = |n: usize| {
            let name = format!("代表{}", name(40 + n));
            json!({ "side": "applicant", "standing": "spokesperson", "speaks_for": 2 + n, "name": name })
        };
        let people: Vec<Value> = (0..count).map(spokesman).collect();
        self.act("join", json!({ "people": people })).await;
        self.hold("joint_session", "推选代表，由代表逐项协商。").await;
    }

    fn numbers(&self) -> Vec<usize> {
        (1..=self.retold.parties).collect()
    }

    async fn consent(&self, parties: &[usize], agree: bool) {
        // An event names sixteen at most.
        for some in parties.chunks(16) {
            self.act("consent", json!({ "parties": some, "agree": agree })).await;
        }
    }

    async fn open(&self) {
        if self.seen().await["mediations"].as_array().and_then(|all| all.last()).is_some_and(|it| it["ended"].is_null())
        {
            return;
        }
        let source = self.retold.entrusted.as_deref().unwrap_or("application");
        let opened = json!({ "source": source, "committee": 1, "mediators": ["王调解"], "chosen": true });
        self.act("open-mediation", opened).await;
        self.consent(&self.numbers(), true).await;
        self.hold("notice_of_rights", "已告知双方在调解中的权利和义务。").await;
        self.hold("mediation", "双方陈述经过，调解员释明有关规定。").await;
    }

    async fn fail(&self, ground: &str) {
        self.open().await;
        self.act("end-mediation", json!({ "ground": ground, "note": "双方分歧较大，告知其他解决途径。" })).await;
    }

    async fn refuse(&self) {
        let opened = json!({ "source": "application", "committee": 1, "mediators": ["王调解"] });
        self.act("open-mediation", opened).await;
        self.consent(&[2], true).await;
        self.consent(&[1], false).await;
        self.act("end-mediation", json!({ "ground": "refused", "note": "一方拒不开门，明确拒绝调解。" })).await;
    }

    async fn agree(&mut self) {
        self.open().await;
        self.draw(&self.retold.terms.join("。")).await;
    }

    /// Between the two sides: a body of many is bound by those who signed, sixteen at most.
    async fn draw(&mut self, terms: &str) {
        self.agreements += 1;
        let parties: Vec<usize> = self.numbers().into_iter().take(16).collect();
        let amount = self.retold.amount;
        let share = |n: usize| {
            amount.map(|all| all / self.instalments as u64 + u64::from(n == 0) * (all % self.instalments as u64))
        };
        let part = |n: usize| json!({ "by": 1, "due": format!("2099-{:02}-01", n + 1), "amount_fen": share(n), "what": "转账" });
        let plan: Vec<Value> = (0..self.instalments).map(part).collect();
        let draft = json!({ "form": "written", "parties": parties, "facts": "如登记表所载", "issue": "责任与费用", "terms": terms,
            "manner": "按约履行", "amount_fen": amount, "plan": plan, "mediator": "王调解" });
        self.act("draw", draft).await;
        let signed = json!({ "agreement": self.agreements, "parties": parties, "mediator": true, "committee": true,
            "mark": "signature" });
        self.act("sign", signed).await;
    }

    async fn visit(&self, kept: &str, note: &str) -> Value {
        self.act("visit-again", json!({ "agreement": self.agreements, "kept": kept, "note": note })).await
    }

    async fn confirm(&self) {
        let court = "越城区人民法院";
        self.act("seek-confirmation", json!({ "agreement": self.agreements, "court": court })).await;
        self.act("note-confirmation", json!({ "agreement": self.agreements, "result": "confirmed", "court": court }))
            .await;
    }

    /// Each part is paid, and each agreement is found to be kept.
    async fn perform(&self) {
        for part in 1..=self.instalments {
            self.act("perform", json!({ "agreement": self.agreements, "instalment": part })).await;
        }
        for agreement in 1..=self.agreements {
            let visit = json!({ "agreement": agreement, "kept": "fully", "note": "回访：已全部履行" });
            self.act("visit-again", visit).await;
        }
    }

    async fn hand_over(&mut self, to: &str) {
        let (from, next) = (self.node(), self.city.at(to));
        let receiver = next.running.config.node.id.to_string();
        self.act("offer", json!({ "to": receiver })).await;
        let open = async || {
            let offers = next.get("/offers").await;
            let found = offers.as_array()?.iter().find(|offer| offer["case"] == json!(self.case))?["id"].as_str()?;
            Some(found.to_owned())
        };
        until("the offer arrives", || async { open().await.is_some() }).await;
        let offer = open().await.expect("it has arrived");
        let (status, answer) = next.post(&format!("/cases/{}/offers/{offer}/accept", self.case), &json!({})).await;
        assert_eq!(status, StatusCode::OK, "{}: {answer}", self.retold.id);
        let path = format!("/cases/{}", self.case);
        until("the case has moved", || async { next.get(&path).await["mine"] == json!(true) }).await;
        until("who gave it knows", || async { from.get(&path).await["mine"] == json!(false) }).await;
        to.clone_into(&mut self.level);
    }

    async fn end(&self) {
        let terms = if self.retold.terms.is_empty() {
            "未达成一致，已告知其他途径".to_owned()
        } else {
            self.retold.terms.join("。")
        };
        match self.retold.ending.split_once(':') {
            Some(("refer", channel)) => {
                self.act("refer", json!({ "channel": channel, "note": "告知双方依法通过该渠道解决" })).await;
            }
            _ => {
                let outcome = &self.retold.ending;
                self.act("resolve", json!({ "outcome": outcome, "terms": terms, "amount_fen": self.retold.amount }))
                    .await;
            }
        }
    }
}

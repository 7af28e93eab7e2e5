//! The page of one case.

use super::View;
use super::frame::{level, page, short, tail, time};
use super::html::Html;
use super::papers;
use super::words::Lang;
use crate::api::cases::detail::case_of;
use crate::api::cases::view::{CaseView, HolderView, OrderView, PrivateView, ReceiptView, RungView, StepView};
use crate::api::links::links_of;
use crate::api::problem::Problem;

/// The page of one case.
pub(super) async fn case(view: &View, id: &str) -> Result<Html, Problem> {
    let case = case_of(&view.state, &view.caller, id).await?;
    let links = links_of(&view.state).await?;
    let lang = view.lang;
    let mut main = Html::default();
    main.raw("<p class=\"noprint\"><a href=\"").text(&view.base).raw("/?lang=").raw(lang.code()).raw("\">← ");
    main.text(lang.t("返回", "Back")).raw("</a></p>");
    heading(&mut main, lang, &case);
    main.raw("<div class=\"two\"><div class=\"col\">");
    super::restricted::card(&mut main, lang, &case);
    // What is held of a restricted case, its dossier too, is for its readers.
    let reads = case.restricted.as_ref().is_none_or(|restricted| restricted.reads);
    match &case.private {
        Some(private) => private_card(&mut main, lang, private),
        None if !reads => {}
        None => nameless_card(&mut main, lang, case.names_gone_at.as_deref()),
    }
    super::work::card(&mut main, lang, &case);
    super::mediation::card(&mut main, lang, &case);
    super::attachments::card(&mut main, lang, &case.attachments);
    if reads {
        papers::card(&mut main, view, id).await?;
    }
    super::history::card(&mut main, lang, &case);
    main.raw("</div><div class=\"col\">");
    ladder_card(&mut main, lang, &case.ladder);
    holder_card(&mut main, lang, &case.holders);
    order_card(&mut main, lang, &case.orders);
    offer_card(&mut main, lang, &case);
    fact_card(&mut main, lang, &case);
    main.raw("</div></div>");
    let title = if case.line.summary.is_empty() { tail(&case.line.id) } else { &case.line.summary };
    Ok(page(view, title, &links, view.state.shared.alarms().len(), &main))
}

fn heading(html: &mut Html, lang: Lang, case: &CaseView) {
    html.raw("<section class=\"card\"><header>");
    level(html, lang, &case.line.level);
    html.raw("<h1>");
    match &case.private {
        Some(private) if !private.title.is_empty() => html.said(&private.title),
        _ => html.said(&case.line.summary),
    };
    html.raw("</h1>");
    if case.line.void {
        html.el("<span class=\"chip\">", lang.t("已作废", "void"), "</span>");
    }
    if case.line.escalated {
        html.el("<span class=\"chip\">", lang.t("已报备上级", "reported above"), "</span>");
    }
    html.raw("</header><p class=\"meta\">")
        .text(lang.word(&case.line.matter))
        .raw(" · ")
        .text(if lang == Lang::En { &case.line.category_name_en } else { &case.line.category_name })
        .raw(" (")
        .text(&case.line.category)
        .raw(")");
    html.raw(" · ").said(&case.line.place_name).raw(" · ").text(&time(&case.line.reported_at));
    html.text(lang.t(" 上报 · 定级依据:", " reported · graded by: ")).text(lang.word(&case.grading.fired));
    html.raw("</p><ol class=\"steps\">");
    for (index, step) in case.steps.iter().enumerate() {
        step_item(html, lang, index, step);
    }
    html.raw("</ol></section>");
}

fn step_item(html: &mut Html, lang: Lang, index: usize, step: &StepView) {
    html.raw(match step.state {
        "done" => "<li class=\"done\" data-n=\"",
        "current" => "<li class=\"current\" aria-current=\"step\" data-n=\"",
        _ => "<li data-n=\"",
    });
    html.number(super::frame::count(index + 1)).raw("\">").el("<strong>", lang.word(&step.step), "</strong>");
    if let Some(by) = &step.by {
        html.said(by).raw("<br>");
    }
    if let Some(at) = &step.at {
        html.text(&time(at));
    }
    html.raw("</li>");
}

fn nameless_card(html: &mut Html, lang: Lang, gone_at: Option<&str>) {
    html.raw("<p class=\"card note\">");
    html.text(lang.t("当事人与经过不在本节点。", "Parties and narrative are not held at this node."));
    if let Some(at) = gone_at {
        html.text(lang.t("已按期或依令删除:", " They were deleted, at the end of their term or by order: "))
            .text(&time(at));
    }
    html.raw("</p>");
}

fn private_card(html: &mut Html, lang: Lang, private: &PrivateView) {
    html.raw("<section class=\"card\"><header>").el("<h2>", lang.t("案情与当事人", "Narrative and parties"), "</h2>");
    html.el(
        "<span class=\"note\">",
        lang.t("含个人信息,本节点留存", "personal data, held at this node"),
        "</span></header>",
    );
    html.raw("<p class=\"prose\">").said(&private.narrative).raw("</p>");
    if !private.parties.is_empty() {
        html.raw("<div class=\"scroll\"><table><caption>")
            .text(lang.t("当事人", "Parties"))
            .raw("</caption><thead><tr>");
        for head in [
            lang.t("编号", "No."),
            lang.t("身份", "Side"),
            lang.t("姓名", "Name"),
            lang.t("电话", "Phone"),
            lang.t("地址", "Address"),
        ] {
            html.el("<th scope=\"col\">", head, "</th>");
        }
        html.raw("</tr></thead><tbody>");
        for party in &private.parties {
            html.raw("<tr><td>").number(i64::from(party.number)).raw("</td><td>").text(lang.word(&party.side));
            if party.standing != "party" {
                html.raw(" · ").text(lang.word(&party.standing));
            }
            if party.left {
                html.raw(" · ").text(lang.t("已退出", "has left"));
            }
            html.raw("</td><th scope=\"row\">").said(&party.name);
            html.raw("</th><td>").said(&party.phone).raw("</td><td>").said(&party.address).raw("</td></tr>");
        }
        html.raw("</tbody></table></div>");
    }
    html.raw("</section>");
}

fn receipt(html: &mut Html, lang: Lang, receipt: &ReceiptView) {
    let mark = match receipt.progress.as_str() {
        "queued" | "sent" => "<span class=\"wait\">",
        "delivered" => "<span class=\"ok\">✓ ",
        _ => "<span class=\"ok\">✓✓ ",
    };
    html.raw(mark).text(lang.word(&receipt.progress)).raw("</span>");
    if let Some(at) = &receipt.at {
        html.raw(" <span class=\"meta\">").text(&time(at)).raw("</span>");
    }
}

fn ladder_card(html: &mut Html, lang: Lang, ladder: &[RungView]) {
    html.raw("<section class=\"card\"><header>").el("<h2>", lang.t("五级流转与送达", "The five levels"), "</h2>");
    html.el("<span class=\"note\">", lang.t("签名回执", "signed receipts"), "</span></header><ol class=\"ladder\">");
    for rung in ladder {
        html.raw(match rung.part {
            "owner" => "<li class=\"owner\">",
            "none" => "<li class=\"out\">",
            _ => "<li>",
        });
        let word = lang.word(&rung.level);
        html.raw("<span class=\"box\" aria-hidden=\"true\">")
            .text(word.get(..1).filter(|_| lang == Lang::En).unwrap_or(word));
        html.raw("</span><div><strong>").said(&rung.name).raw("</strong>");
        if rung.here {
            html.el("<span class=\"meta\">", lang.t("(本节点)", " (this node)"), "</span>");
        }
        html.raw("<div class=\"meta\">").text(word).raw(" · ").text(lang.word(rung.part));
        if let Some(upto) = rung.upto {
            html.raw(" · #").number(i64::from(upto));
        }
        html.raw("</div></div><div class=\"got\">");
        if let Some(got) = &rung.receipt {
            receipt(html, lang, got);
        }
        html.raw("</div></li>");
    }
    html.raw("</ol></section>");
}

fn order_card(html: &mut Html, lang: Lang, orders: &[OrderView]) {
    html.raw("<section class=\"card\"><header>").el("<h2>", lang.t("督办与调阅", "Orders"), "</h2></header>");
    if orders.is_empty() {
        html.el("<p class=\"note\">", lang.t("暂无指令", "No orders"), "</p>");
    }
    for order in orders {
        html.raw("<div class=\"order\"><p><span class=\"chip\">")
            .text(lang.word(order.form.as_deref().unwrap_or(&order.asks)));
        html.raw("</span> <strong>")
            .said(&order.from_name)
            .raw(" → ")
            .said(&order.to_name)
            .raw("</strong> <span class=\"meta\">")
            .text(&time(&order.at));
        if let Some(days) = order.term_days {
            html.text(lang.t(" · 限 ", " · within ")).number(i64::from(days)).text(lang.t(" 日", " days"));
        }
        html.raw("</span></p><p>").said(&order.text).raw("</p>");
        for got in &order.receipts {
            html.raw("<p class=\"meta\">").said(&got.by_name).raw(" ");
            receipt(html, lang, got);
            html.raw("</p>");
        }
        if let Some(answer) = &order.answer {
            html.raw("<p><span class=\"ok\">").text(lang.word(answer)).raw("</span> ");
            html.said(order.answer_text.as_deref().unwrap_or_default()).raw("</p>");
        }
        if order.withdrawn {
            html.el("<p class=\"note\">", lang.t("已撤回", "withdrawn"), "</p>");
        }
        html.raw("</div>");
    }
    html.raw("</section>");
}

/// Who holds what of the case (谁持有).
fn holder_card(html: &mut Html, lang: Lang, holders: &[HolderView]) {
    if holders.is_empty() {
        return;
    }
    html.raw("<section class=\"card\"><header>").el(
        "<h2>",
        lang.t("谁持有本案信息", "Who holds what"),
        "</h2></header><dl>",
    );
    for holder in holders {
        let class = match holder.class.as_str() {
            "full" => lang.t("全部,含当事人", "everything, with names"),
            "working" => lang.t("自报或自补部分", "its own report or note"),
            _ => lang.t("摘要,不含当事人", "a brief without names"),
        };
        let why = match holder.why.as_str() {
            "former-owner" => lang.t("曾主办", "owned it before"),
            "contribution" => lang.t("补充情况", "sent a note"),
            "ceiling" => lang.t("报备", "informed"),
            "offer" => lang.t("移交", "transfer"),
            "approval" => lang.word("approve_level"),
            other => lang.word(other),
        };
        html.raw("<dt>").said(&holder.name).raw("</dt><dd>").text(class);
        html.raw(" <span class=\"meta\">").text(why);
        if let Some(until) = &holder.until {
            html.text(lang.t(" · 至 ", " · until ")).text(until);
        }
        html.raw("</span></dd>");
    }
    html.raw("</dl></section>");
}

fn offer_card(html: &mut Html, lang: Lang, case: &CaseView) {
    if case.offers.is_empty() {
        return;
    }
    html.raw("<section class=\"card\"><header>").el("<h2>", lang.t("移交", "Transfers"), "</h2></header>");
    for offer in &case.offers {
        html.raw("<div class=\"order\"><p>").said(&offer.from_name).raw(" → ");
        html.said(&offer.to_name).raw(" <span class=\"meta\">").text(&time(&offer.at));
        html.raw("</span></p><p>").el("<span class=\"chip\">", lang.word(&offer.state), "</span> ");
        for got in &offer.receipts {
            receipt(html, lang, got);
            html.raw(" ");
        }
        html.raw("</p></div>");
    }
    html.raw("</section>");
}

fn fact_card(html: &mut Html, lang: Lang, case: &CaseView) {
    let line = &case.line;
    html.raw("<section class=\"card\"><header>").el("<h2>", lang.t("案件信息", "Case"), "</h2></header><dl>");
    let term = case.next_term.as_ref().map_or_else(
        || "—".to_owned(),
        |term| match term.provisional {
            false => term.day.clone(),
            true => format!("{} {}", lang.t("待日历公布,晚于", "not yet known, after"), term.day),
        },
    );
    let unit = if lang == Lang::En { line.unit_name_en.as_str() } else { line.unit_name.as_str() };
    let people = if line.people == 0 { lang.t("不详", "not known").to_owned() } else { line.people.to_string() };
    for (name, value) in [
        (lang.t("摘要", "Summary"), line.summary.as_str()),
        (lang.t("主办节点", "Owner"), line.owner_name.as_str()),
        (lang.t("承办单位", "Unit"), unit),
        (lang.t("涉及人数", "People"), people.as_str()),
        (lang.t("办理期限", "Next term"), term.as_str()),
        (lang.t("结果", "Outcome"), line.outcome.as_deref().map_or("—", |o| lang.word(o))),
        (lang.t("案号", "Id"), line.id.as_str()),
        (lang.t("权属次序", "Epoch"), line.epoch.as_str()),
    ] {
        html.el("<dt>", name, "</dt><dd>").said(value).raw("</dd>");
    }
    html.el("<dt>", lang.t("事件链", "Chain"), "</dt><dd>").raw("#").number(i64::from(line.number));
    html.raw(" <span class=\"hash\">").text(short(&line.head)).raw("</span></dd></dl></section>");
}

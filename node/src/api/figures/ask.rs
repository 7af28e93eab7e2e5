//! GET figures: any question.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::completeness::{WholeView, whole_of};
use super::query::{FigureQuery, line_dimensions};
use super::words;
use crate::api::caller::Caller;
use crate::api::extract::Params;
use crate::api::problem::{Problem, ProblemBody};
use crate::api::stamp;
use crate::api::state::ApiState;
use crate::oversight::{Definition, Figure, Kind};

/// Lines of an answer at most.
const LINES_MAX: usize = 20_000;
/// Members that an answer names as missing at most; `figures/completeness` has them all.
const MISSING_MAX: usize = 20;

/// The definition by which a figure was counted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct DefinitionView {
    /// Id of the measure.
    pub id: &'static str,
    /// Rises when the meaning changes.
    pub version: u16,
    /// `count`, `rate`, `median` or `daily`.
    pub kind: &'static str,
    /// What one of it is: `case`, `person`, `fen`, `percent`, `minute`.
    pub unit: &'static str,
    /// Name in Chinese.
    pub name_zh: &'static str,
    /// What is counted, in Chinese (数据口径).
    pub text_zh: &'static str,
    /// What is counted, in English.
    pub text: &'static str,
}

impl From<&Definition> for DefinitionView {
    fn from(of: &Definition) -> Self {
        let kind = match of.kind {
            Kind::Count => "count",
            Kind::Rate => "rate",
            Kind::Median => "median",
            Kind::Daily => "daily",
        };
        Self {
            id: of.id,
            version: of.version,
            kind,
            unit: of.unit,
            name_zh: of.name_zh,
            text_zh: of.text_zh,
            text: of.text,
        }
    }
}

/// A figure with what it is made of.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FigureView {
    /// The figure as it is to be shown: a count, or per cent or minutes with one decimal. None where there is nothing.
    pub figure: Option<String>,
    /// Of a rate the cases that count; else the figure without its decimal.
    pub numerator: u64,
    /// The cases that it was made over.
    pub denominator: u64,
}

impl FigureView {
    pub(super) fn of(figure: Figure, kind: Kind) -> Self {
        let shown = |tenths: u64| match kind {
            Kind::Count | Kind::Daily => (tenths / 10).to_string(),
            Kind::Rate | Kind::Median => decimal(tenths),
        };
        Self { figure: figure.tenths.map(shown), numerator: figure.numerator, denominator: figure.denominator }
    }
}

/// Tenths with their decimal.
pub(super) fn decimal(tenths: u64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// One value by which a line is cut.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct KeyView {
    /// As questions and `line` take it.
    pub value: String,
    /// A name for it, where there is one.
    pub name: Option<String>,
}

/// One line of an answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct LineView {
    /// By what it is cut, in the order of `by`.
    pub keys: Vec<KeyView>,
    /// Its figure.
    #[serde(flatten)]
    pub figure: FigureView,
}

/// An answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AnswerView {
    /// The definition by which it was counted.
    pub definition: DefinitionView,
    /// The division that it counts.
    pub within: String,
    /// First day of the period; none: from the beginning.
    pub from: Option<String>,
    /// Last day of the period; none: without end.
    pub to: Option<String>,
    /// By what its lines are cut.
    pub by: Vec<String>,
    /// Whose figures are in it, and as of when.
    #[serde(flatten)]
    pub whole: WholeView,
    /// Over everything. Of an occupancy: at the end of the period.
    pub total: FigureView,
    /// Its lines; one whose figure would be none of anything is left out.
    pub lines: Vec<LineView>,
}

/// Answers a question: any measure, cut by up to two things, over any period and part of what is here.
#[utoipa::path(get, path = "/api/v1/figures", tag = "figures", params(FigureQuery),
    responses((status = 200, body = AnswerView), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(in crate::api) async fn cut(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Params(query): Params<FigureQuery>,
) -> Result<Json<AnswerView>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    query.no_rows()?;
    let question = query.question(&state)?;
    let (kind, dimensions) = (question.measure.definition().kind, line_dimensions(&question));
    let answer = state.oversight.ask(question.clone()).await?;
    few_enough(answer.lines.len())?;
    let lines = answer.lines.iter().map(|(keys, figure)| {
        let keys = dimensions.iter().zip(keys).map(|(dimension, key)| {
            let (value, name) = words::value(&state, *dimension, *key);
            KeyView { value, name }
        });
        LineView { keys: keys.collect(), figure: FigureView::of(*figure, kind) }
    });
    let lines = lines.collect();
    let limited = |day: i32, open: i32| (day != open).then(|| stamp::day(day));
    Ok(Json(AnswerView {
        definition: question.measure.definition().into(),
        within: question.within.to_string(),
        from: limited(question.days.0, super::ALL_DAYS.0),
        to: limited(question.days.1, super::ALL_DAYS.1),
        by: query.by_words(),
        whole: whole_of(&state, question.within, MISSING_MAX).await?,
        total: FigureView::of(answer.total, kind),
        lines,
    }))
}

/// An answer that nobody could read is not written out.
fn few_enough(lines: usize) -> Result<(), Problem> {
    match lines {
        0..=LINES_MAX => Ok(()),
        more => Err(Problem::invalid(format!(
            "the answer has {more} lines, {LINES_MAX} at most: ask for a smaller area or a shorter period"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_more_lines_than_may_be_is_refused() {
        assert!(few_enough(LINES_MAX).is_ok());
        assert!(few_enough(LINES_MAX + 1).is_err());
    }
}

//! What may be read of a case, and so what is found in it.

use casework::Case;

use super::signature::{CaseKeyed, Signature};
use super::words::Words;
use crate::person::mask;

/// The words of a case for one kind of reader.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readable {
    /// Title, narrative and summary, and the numbers of agreements.
    pub(crate) text: Words,
    /// Names of parties; none for whoever reads them masked.
    pub(crate) parties: Words,
}

/// As it is shown to everybody who may see the case: with names and numbers masked.
pub(crate) fn shown(case: &Case) -> Readable {
    let mut text = Words::default();
    text.put_short(&case.above().summary);
    // A restricted case is found by its number, and by nothing that is in it.
    if case.restricted {
        return Readable { text, parties: Words::default() };
    }
    case.agreements.iter().for_each(|agreement| text.put_paper(agreement.paper));
    if let Some(report) = &case.report {
        text.put_short(&mask::prose(&report.title, case.names()));
        text.put(&mask::prose(&report.narrative, case.names()));
    }
    Readable { text, parties: Words::default() }
}

/// As it is.
pub(crate) fn whole(case: &Case) -> Readable {
    if case.restricted {
        return shown(case);
    }
    let (mut text, mut parties) = (Words::default(), Words::default());
    text.put_short(&case.brief.summary);
    case.agreements.iter().for_each(|agreement| text.put_paper(agreement.paper));
    if let Some(report) = &case.report {
        text.put_short(&report.title);
        text.put(&report.narrative);
    }
    case.names().for_each(|name| parties.put_short(name));
    Readable { text, parties }
}

/// The title as it is shown, where the report is here.
pub(crate) fn masked_title(case: &Case) -> String {
    let report = case.report.as_deref().filter(|_| !case.restricted);
    report.map(|report| mask::prose(&report.title, case.names())).unwrap_or_default()
}

/// The signature of all that is here of a case.
pub(crate) fn signature(case: &Case, key: &CaseKeyed) -> Signature {
    let Readable { text: mut all, parties } = whole(case);
    all.join(parties);
    Signature::of(key, &shown(case).text, &all)
}

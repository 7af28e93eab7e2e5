//! That a unit objects to leading a case (退回异议): who may, until when, and who then decides.

use protocol::event::WideAct;
use protocol::time::Minute;
use protocol::unit::UnitCode;

use crate::case::Case;

/// Working days in which a unit may object (信访工作条例 art. 23).
pub(crate) const OBJECT_DAYS: u16 = 5;
/// Objections of one case at most that the desk decides: of a further one whoever leads the node does (信访工作条例 art. 24).
pub(crate) const AGREED_AT_DESK_MAX: u16 = 1;

/// How it came that a unit leads a case, and whether it objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Assignment {
    /// When the unit got it; none: it came from elsewhere and nobody has given it to one here.
    pub since: Option<Minute>,
    /// The objection that waits, with the unit that is proposed, and when it was made.
    pub objection: Option<(Option<UnitCode>, Minute)>,
    /// How often units have objected here.
    pub objections: u16,
    /// It was ruled who leads it: that binds.
    pub ruled: bool,
}

impl Assignment {
    /// Whether the desk no longer decides the objection that waits.
    pub fn needs_ruling(&self) -> bool {
        self.objection.is_some() && self.objections > AGREED_AT_DESK_MAX
    }

    /// A unit got the case.
    pub(crate) fn given(&mut self, at: Minute) {
        *self = Self { since: Some(at), objection: None, ..*self };
    }
}

/// What an act does to it; of others nothing.
pub(crate) fn follow(case: &mut Case, act: &WideAct, at: Minute) {
    let assignment = &mut case.assignment;
    match act {
        WideAct::Objected { proposed } => {
            assignment.objection = Some((*proposed, at));
            assignment.objections = assignment.objections.saturating_add(1);
        }
        WideAct::ObjectionRefused {} => assignment.objection = None,
        WideAct::Ruled { .. } => {
            assignment.given(at);
            assignment.ruled = true;
        }
        _ => {}
    }
}

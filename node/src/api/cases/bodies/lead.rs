//! Bodies of who leads a case, and of who may read it.

use casework::{Command, Restrict};
use protocol::bounded::Text;
use protocol::event::RestrictionGround;
use protocol::id::NodeId;
use protocol::unit::UnitCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Commanded, Note, bodies, whole};

bodies! {
    /// The unit that leads it objects.
    ObjectBody => Object {
        /// Code of the unit that it proposes instead.
        #[serde(default)]
        #[schema(value_type = Option<u16>)]
        proposed: Option<UnitCode>,
        /// Why.
        #[schema(value_type = String)]
        reason: Note,
    },
    /// That is not agreed.
    RefuseObjectionBody => RefuseObjection {
        /// Why.
        #[schema(value_type = String)]
        reason: Note,
    },
    /// Who leads it.
    RuleBody => Rule {
        /// Code of the unit; 0: the node itself.
        #[schema(value_type = u16)]
        unit: UnitCode,
        /// Why.
        #[schema(value_type = String)]
        reason: Note,
    },
    /// It is a case like others again.
    LiftRestrictionBody => LiftRestriction {
        /// Why.
        #[schema(value_type = String)]
        reason: Note,
    },
}

whole! {
    /// Only named readers may read it from here on.
    RestrictBody => Restrict {
        /// `minors`, `domestic_violence`, `sexual_harm`, `own_people` or `other`.
        #[schema(value_type = String)]
        ground: RestrictionGround,
        /// Id of the node whose people it is about.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        against: Option<NodeId>,
        /// Why, in words; needed for another ground.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Text<1000>,
    },
}

//! Roles and grants as text: `clerk`, `clerk@330602001000`, `handler#12`, `handler@330602001000#12`.

use casework::{Grant, Role, Scope};
use protocol::unit::UnitCode;
use serde::Serialize;
use serde::de::value::{Error, StrDeserializer};
use serde::de::{Deserialize, IntoDeserializer};

/// The role with a name, as the rules of cases spell it.
pub fn parse(name: &str) -> Option<Role> {
    let name: StrDeserializer<'_, Error> = name.into_deserializer();
    Role::deserialize(name).ok()
}

/// The name of a role.
pub fn name(role: Role) -> String {
    let text = role.serialize(serde_json::value::Serializer).ok();
    text.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Why a text is no grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAGrant {
    /// No such role.
    #[error("there is no role {0:?}; roles are: {roles}", roles = all())]
    Role(String),
    /// No such division.
    #[error("{0:?} is no division code")]
    Division(String),
    /// No such unit.
    #[error("{0:?} is no unit: a number from 1 to 65535 is expected")]
    Unit(String),
}

/// The names of all roles.
pub fn all() -> String {
    Role::ALL.map(name).join(" ")
}

/// The grant that a text says.
pub fn grant(text: &str) -> Result<Grant, NotAGrant> {
    let (rest, unit) = text.trim().split_once('#').map_or((text.trim(), None), |(rest, unit)| (rest, Some(unit)));
    let (role, division) = rest.split_once('@').map_or((rest, None), |(role, place)| (role, Some(place)));
    let role = parse(role).ok_or_else(|| NotAGrant::Role(role.to_owned()))?;
    let division = division.map(|code| code.parse().map_err(|_| NotAGrant::Division(code.to_owned()))).transpose()?;
    let number = |unit: &str| unit.parse::<u16>().ok().filter(|unit| *unit != 0).map(UnitCode);
    let unit = unit.map(|text| number(text).ok_or_else(|| NotAGrant::Unit(text.to_owned()))).transpose()?;
    Ok(Grant { role, scope: Scope { division, unit } })
}

/// The grants in a text, separated by blanks.
pub fn grants(text: &str) -> Result<Vec<Grant>, NotAGrant> {
    text.split_whitespace().map(grant).collect()
}

/// A grant as text.
pub fn grant_text(grant: &Grant) -> String {
    let division = grant.scope.division.map(|code| format!("@{code}")).unwrap_or_default();
    let unit = grant.scope.unit.map(|unit| format!("#{unit}")).unwrap_or_default();
    format!("{}{division}{unit}", name(grant.role))
}

/// Grants as text, separated by blanks.
pub fn grants_text(grants: &[Grant]) -> String {
    grants.iter().map(grant_text).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_come_back_as_they_were() {
        let text = "administrator clerk@330602001000 handler#12 handler@330602001000#12";
        assert_eq!(grants_text(&grants(text).unwrap()), text);
        assert_eq!(Role::ALL.map(|role| parse(&name(role))), Role::ALL.map(Some));
    }

    #[test]
    fn what_is_no_grant_says_what_is_wrong() {
        assert_eq!(grant("emperor"), Err(NotAGrant::Role("emperor".into())));
        assert_eq!(grant("clerk@33"), Err(NotAGrant::Division("33".into())));
        assert_eq!(grant("clerk#0"), Err(NotAGrant::Unit("0".into())));
    }
}

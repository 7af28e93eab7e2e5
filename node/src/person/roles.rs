//! Roles as text: in the database separated by blanks, in the API as a list.

use casework::Role;
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

/// The roles in a database text. A name that this version does not know gives no right.
pub fn of_text(text: &str) -> Vec<Role> {
    text.split_whitespace().filter_map(parse).collect()
}

/// Roles as a database text.
pub fn to_text(roles: &[Role]) -> String {
    roles.iter().map(|role| name(*role)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_come_back_as_they_were() {
        let roles = vec![Role::Administrator, Role::Supervisor];
        assert_eq!(of_text(&to_text(&roles)), roles);
        assert_eq!(of_text("emperor"), vec![]);
    }
}

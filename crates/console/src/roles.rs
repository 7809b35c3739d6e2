//! Who may do what: one table that decides, that the documentation prints and that a test walks cell by cell.

use escalation::id::{CustomerId, SiteId};
use serde::{Deserialize, Serialize};

/// What a key's holder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Operators of a monitoring centre.
    Centre,
    /// People of a site.
    Site,
    /// An app or a gateway: it raises, and learns nothing.
    Device,
    /// Reads everything in its scope and changes nothing.
    Auditor,
    /// Runs the station; also whoever may open its control socket.
    Admin,
}

impl Role {
    /// Every role, in the order of the table's columns.
    pub const ALL: [Self; 5] = [Self::Centre, Self::Site, Self::Device, Self::Auditor, Self::Admin];

    /// As the settings write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Centre => "centre",
            Self::Site => "site",
            Self::Device => "device",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// Whether a key of this role is used where the buttons are, so that somebody may be watching.
    pub fn is_at_the_place(self) -> bool {
        match self {
            Self::Site | Self::Device => true,
            Self::Centre | Self::Auditor | Self::Admin => false,
        }
    }

    /// Whether a key of this role may be scoped so: a device belongs to sites, people of a site to sites or to a customer.
    pub fn can_have(self, sites: &[SiteId], customers: &[CustomerId]) -> bool {
        match self {
            Self::Device => !sites.is_empty(),
            Self::Site => !sites.is_empty() || !customers.is_empty(),
            Self::Centre | Self::Auditor | Self::Admin => true,
        }
    }

    /// Whether this role may do that, always within its scope.
    pub fn may(self, action: Action) -> bool {
        TABLE.iter().any(|row| row.action == action && row.roles.contains(&self))
    }
}

/// What a key can be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read activations, devices and troubles; follow the stream; open the pages.
    See,
    /// Raise an activation.
    Raise,
    /// Take ownership as an operator.
    Claim,
    /// Hold the climb of what one has claimed.
    Hold,
    /// Hand over what one has claimed.
    HandOver,
    /// Commit a named person.
    Accept,
    /// Record that a named person cannot.
    Decline,
    /// Record that a named person has arrived.
    Arrived,
    /// Record that the police are needed, or were rung.
    Police,
    /// Record that a step of the plan was taken.
    TakeStep,
    /// Move the climb on.
    Escalate,
    /// Add words.
    Note,
    /// Say that it is over.
    Safe,
    /// End it with a disposition.
    Close,
    /// Open what was closed again.
    Reopen,
    /// Put buttons on test, and take them off.
    Test,
    /// Take buttons out of service, and put them back.
    Serve,
    /// Say who stands in for whom on a roster.
    StandIn,
    /// Say that somebody is at the desk of a centre.
    Arm,
    /// Drill a ladder.
    Drill,
    /// Be handed an evidence bundle.
    Export,
    /// Be told who read.
    SeeViews,
    /// Erase private values under a basis, and place or lift a legal hold.
    Erase,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What.
    pub action: Action,
    /// The same in words.
    pub words: &'static str,
    /// Who may.
    pub roles: &'static [Role],
}

/// The table.
pub const TABLE: [Row; 23] = [
    Row {
        action: Action::See,
        words: "read activations, devices, coverage, troubles and the stream; open the pages",
        roles: &[Role::Centre, Role::Site, Role::Auditor, Role::Admin],
    },
    Row { action: Action::Raise, words: "raise an activation", roles: &[Role::Centre, Role::Site, Role::Device, Role::Admin] },
    Row { action: Action::Claim, words: "claim an activation as an operator", roles: &[Role::Centre, Role::Admin] },
    Row { action: Action::Hold, words: "hold the ladder of what one has claimed", roles: &[Role::Centre, Role::Admin] },
    Row { action: Action::HandOver, words: "hand over what one has claimed", roles: &[Role::Centre, Role::Admin] },
    Row { action: Action::Accept, words: "accept for a named person", roles: &[Role::Centre, Role::Site, Role::Admin] },
    Row { action: Action::Decline, words: "decline for a named person", roles: &[Role::Centre, Role::Site, Role::Admin] },
    Row { action: Action::Arrived, words: "record that a named person has arrived", roles: &[Role::Centre, Role::Site, Role::Admin] },
    Row {
        action: Action::Police,
        words: "record that the police are needed, or were rung",
        roles: &[Role::Centre, Role::Site, Role::Admin],
    },
    Row {
        action: Action::TakeStep,
        words: "record that a step of the plan was taken or passed over",
        roles: &[Role::Centre, Role::Site, Role::Admin],
    },
    Row { action: Action::Escalate, words: "escalate", roles: &[Role::Centre, Role::Site, Role::Admin] },
    Row { action: Action::Note, words: "add a note", roles: &[Role::Centre, Role::Site, Role::Admin] },
    Row { action: Action::Safe, words: "say that it is over, which closes nothing", roles: &[Role::Centre, Role::Site, Role::Admin] },
    Row { action: Action::Close, words: "close with a disposition", roles: &[Role::Centre, Role::Site, Role::Admin] },
    Row { action: Action::Test, words: "put buttons on test and take them off", roles: &[Role::Centre, Role::Site, Role::Admin] },
    Row { action: Action::Serve, words: "take buttons out of service and put them back", roles: &[Role::Centre, Role::Site, Role::Admin] },
    Row { action: Action::StandIn, words: "say who stands in for whom on a roster", roles: &[Role::Centre, Role::Site, Role::Admin] },
    Row { action: Action::Arm, words: "arm the desk of a centre: say that somebody is at it", roles: &[Role::Centre, Role::Admin] },
    Row {
        action: Action::Drill,
        words: "drill a ladder: its people are told, as a drill",
        roles: &[Role::Centre, Role::Site, Role::Admin],
    },
    Row { action: Action::Reopen, words: "open again what was closed", roles: &[Role::Centre, Role::Site, Role::Admin] },
    Row { action: Action::Export, words: "be handed an evidence bundle, which is recorded", roles: &[Role::Auditor, Role::Admin] },
    Row { action: Action::SeeViews, words: "be told who read, which is noted too", roles: &[Role::Auditor, Role::Admin] },
    Row { action: Action::Erase, words: "erase private values under a basis; place or lift a legal hold", roles: &[Role::Admin] },
];

/// The table as the page `docs/src/reference/roles.md`.
pub fn page() -> String {
    let names: String = Role::ALL.map(|role| format!(" {} |", role.as_str())).concat();
    let rule = ":-:|".repeat(Role::ALL.len());
    let rows: Vec<String> = TABLE.iter().map(line).collect();
    let rows = rows.concat();
    format!(
        "# Roles\n\n\
         What the holder of an API key may do. The table is printed from the one that the program decides by; a test compares them.\n\n\
         Every role acts only within its scope: a key with `customers` or `sites` sees nothing else, and what lies outside\n\
         does not exist for it (404, never 403). The control socket `control.sock` is `admin` without a scope.\n\n\
         | |{names}\n|---|{rule}{rows}\n\n\
         `device` keys must name at least one site, `site` keys a site or a customer.\n"
    )
}

fn line(row: &Row) -> String {
    let cells = Role::ALL.map(|role| if role.may(row.action) { " yes |" } else { " no |" });
    format!("\n| {} |{}", row.words, cells.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{
        Accept, Arm, Arrived, Claim, Close, Decline, Drill, Erase, Escalate, Export, HandOver, Hold, Note, Police, Raise, Reopen, Safe,
        See, SeeViews, Serve, StandIn, TakeStep, Test,
    };

    #[test]
    fn every_cell_of_the_table_is_as_it_was_decided() {
        let everything = [
            Erase, Export, SeeViews, See, Raise, Claim, Hold, HandOver, Accept, Decline, Arrived, Police, TakeStep, Escalate, Note, Safe,
            Close, Reopen, Test, Serve, StandIn, Arm, Drill,
        ];
        let expected: [(Role, &[Action]); 5] = [
            (Role::Centre, everything.strip_prefix(&[Erase, Export, SeeViews]).unwrap()),
            (
                Role::Site,
                &[See, Raise, Accept, Decline, Arrived, Police, TakeStep, Escalate, Note, Safe, Close, Reopen, Test, Serve, StandIn, Drill],
            ),
            (Role::Device, &[Raise]),
            (Role::Auditor, &[See, Export, SeeViews]),
            (Role::Admin, &everything),
        ];
        for (role, may) in expected {
            for action in everything {
                assert_eq!(role.may(action), may.contains(&action), "{role:?} {action:?}");
            }
        }
        for action in everything {
            assert_eq!(TABLE.iter().filter(|row| row.action == action).count(), 1);
        }
        assert_eq!(TABLE.len(), everything.len(), "no row is left out here");
    }

    #[test]
    fn the_documentation_prints_this_table() {
        expect_test::expect_file!["../../../docs/src/reference/roles.md"].assert_eq(&page());
    }
}

//! What a sheet is about, which columns it may have, and what names its rows.

/// What a sheet is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// Who can be asked.
    People,
    /// Where help is sent to.
    Sites,
    /// The buttons.
    Devices,
}

/// What names a person, a site or a button: a button's name is one within its site.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The site, of a button.
    pub(crate) site: Option<String>,
    /// The id.
    pub(crate) id: String,
}

impl Subject {
    /// How the directory calls one of them.
    pub(crate) fn section(self) -> &'static str {
        match self {
            Self::People => "person",
            Self::Sites => "site",
            Self::Devices => "device",
        }
    }

    /// Several of them, in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Sites => "sites",
            Self::Devices => "devices",
        }
    }

    /// The columns that a sheet may have: the directory's own keys of one line. The first ones name the row.
    pub(crate) fn columns(self) -> &'static [&'static str] {
        match self {
            Self::People => &["id", "customer", "name", "mobile", "email", "based_at"],
            Self::Sites => &[
                "id",
                "customer",
                "extends",
                "name",
                "sms_name",
                "address",
                "suburb",
                "state",
                "cross_street",
                "entry",
                "rendezvous",
                "hazards",
                "phone",
                "timezone",
                "ladder",
                "plan",
                "calendar",
                "eta_limit",
                "feedback",
                "close_guard",
            ],
            Self::Devices => &["site", "id", "place", "sms_name", "mounting", "kind", "ladder", "supervision"],
        }
    }

    /// Whether a sheet may say who has which role.
    pub(crate) fn has_roles(self) -> bool {
        match self {
            Self::Sites => true,
            Self::People | Self::Devices => false,
        }
    }

    /// The columns that name a row.
    pub(crate) fn naming(self) -> &'static [&'static str] {
        match self {
            Self::People | Self::Sites => &["id"],
            Self::Devices => &["site", "id"],
        }
    }

    /// The columns whose key a sheet may take out: texts that somebody reads. What says whose something is or by which number
    /// is taken out by hand, by somebody who looks at the ladders.
    pub(crate) fn taken_out(self) -> &'static [&'static str] {
        match self {
            Self::People => &["name"],
            Self::Sites => &["sms_name", "suburb", "state", "cross_street", "entry", "rendezvous", "hazards", "phone"],
            Self::Devices => &["place", "sms_name"],
        }
    }

    /// The same for every way of spelling a name that people take for one. A person's is said with or without what parts its
    /// words; sites and buttons are numbered, and 1-12 is not 11-2.
    pub(crate) fn folded(self, key: &Key) -> String {
        let lower = key.to_string().to_lowercase();
        match self {
            Self::People => lower.replace(['.', '_', '-'], ""),
            Self::Sites | Self::Devices => lower.replace(['.', '_'], "-"),
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.site {
            Some(site) => write!(f, "{site}/{}", self.id),
            None => f.write_str(&self.id),
        }
    }
}

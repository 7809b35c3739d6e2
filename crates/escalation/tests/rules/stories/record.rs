//! What is written down reads back for ever: one golden file per kind of event, only ever added to.

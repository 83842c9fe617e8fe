//! Scripted peers, in-process DNS zones and a manual clock, for tests only.

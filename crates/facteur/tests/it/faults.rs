//! The real server on a disk that loses power, fails, fills and rots, and short of what else it needs. (Promises G1 to
//! G7.) `cargo xtask faults 100` plays as many rounds.

mod cuts;
mod failing;
mod full;
mod kills;
mod rot;
mod scene;
mod shortage;

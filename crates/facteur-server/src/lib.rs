//! Receives mail: listeners, connection driver, policy, intake.

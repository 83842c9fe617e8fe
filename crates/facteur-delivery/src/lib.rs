//! Sends mail: scheduler, attempts, verdicts, bounces, local delivery.

//! Tests of the plan: every form of null MX, loops, failures, and properties over any answer.

//! The way of a message as history and log tell it: what decided, what DNS answered, which hosts came of it.

use std::borrow::Cow;

use facteur_mail::event::{MxAnswer, RouteFinding, RouteHost, RouteRule, RouteTaken};

use crate::plan::{Finding, MailHost, Plan};
use crate::resolver::{Answer, MxRecord};

/// The account of a plan, and of the answer for MX where one was asked for.
#[must_use]
pub fn route_taken(by: RouteRule, plan: &Plan, mx: Option<&Answer<MxRecord>>) -> RouteTaken {
    let hosts = match plan {
        Plan::Hosts { hosts, .. } => hosts.as_slice(),
        Plan::NullMx { .. }
        | Plan::NoSuchDomain
        | Plan::Unroutable { .. }
        | Plan::RoutesToUs { .. }
        | Plan::TryLater(_) => &[],
    };
    RouteTaken {
        by,
        mx: mx.map(answered),
        plan: Cow::Borrowed(plan.name()),
        hosts: hosts.iter().map(host).collect(),
        findings: plan.findings().iter().map(finding).collect(),
    }
}

fn answered(mx: &Answer<MxRecord>) -> MxAnswer {
    match mx {
        Answer::Found(found) => {
            let record = |record: &MxRecord| {
                let exchange = record.exchange.to_string();
                (record.preference, exchange.into())
            };
            MxAnswer::Found {
                records: found.records.iter().map(record).collect(),
                ttl: found.ttl,
            }
        }
        Answer::NoRecords => MxAnswer::NoRecords,
        Answer::NoSuchDomain => MxAnswer::NoSuchDomain,
        Answer::Failed(failure) => MxAnswer::Failed(Cow::Borrowed(failure.name())),
    }
}

fn host(host: &MailHost) -> RouteHost {
    RouteHost {
        name: host.name.to_string().into(),
        preference: host.preference,
        implicit: host.implicit,
        addresses: host.addresses.clone(),
    }
}

fn finding(finding: &Finding) -> RouteFinding {
    let (host, value) = finding.subject();
    RouteFinding {
        name: Cow::Borrowed(finding.name()),
        host: host.into(),
        value: value.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use facteur_mail::Domain;

    use super::*;
    use crate::resolver::Exchange;

    #[test]
    fn a_plan_is_told_with_the_records_that_led_to_it() {
        let records = [".", "mx.example.org", "192.0.2.1"].map(|text| MxRecord {
            preference: 10,
            exchange: Exchange::parse(text),
        });
        let ttl = Duration::from_secs(60);
        let answer = Answer::found(records.to_vec(), None, ttl);
        let host = Domain::parse("mx.example.org").unwrap();
        let plan = Plan::Unroutable {
            findings: vec![Finding::MxWithoutAddress(host)],
        };
        let told = route_taken(RouteRule::Mx("example.org".into()), &plan, Some(&answer));
        assert_eq!(told.plan, "unroutable");
        let records = [".", "mx.example.org", "192.0.2.1"].map(|text| (10, text.into()));
        let records = records.to_vec();
        assert_eq!(told.mx, Some(MxAnswer::Found { records, ttl }));
        let finding = RouteFinding {
            name: Cow::Borrowed("mx-without-address"),
            host: "mx.example.org".into(),
            value: "".into(),
        };
        assert_eq!(told.findings, [finding]);
        assert!(told.hosts.is_empty());
    }
}

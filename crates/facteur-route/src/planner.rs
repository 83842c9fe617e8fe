//! Asks what a plan needs to know; [`crate::decide`] decides.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use facteur_mail::{Domain, Host, Random};

use crate::plan::{Candidates, Plan};
use crate::policy::Policy;
use crate::resolver::{Answer, MxRecord, Resolver};

/// Makes plans: at most one question for MX and two for each of [`crate::MAX_LOOKUPS`] hosts.
#[derive(Clone)]
pub struct Planner {
    resolver: Arc<dyn Resolver>,
    random: Arc<dyn Random>,
    policy: Policy,
}

impl Planner {
    /// A planner over a resolver; `random` orders equal hosts.
    #[must_use]
    pub fn new(resolver: Arc<dyn Resolver>, random: Arc<dyn Random>, policy: Policy) -> Self {
        Self {
            resolver,
            random,
            policy,
        }
    }

    /// Where mail for `domain` goes by MX. (RFC 5321 §5.1)
    pub async fn domain(&self, domain: &Domain) -> Plan {
        self.reasoned(domain).await.0
    }

    /// The same, with what DNS answered to the question for MX.
    pub async fn reasoned(&self, domain: &Domain) -> (Plan, Answer<MxRecord>) {
        let mx = self.resolver.mx(domain).await;
        let plan = match Candidates::read(domain, &mx, &self.policy, &*self.random) {
            Ok(candidates) => {
                let addresses = self.addresses(candidates.hosts()).await;
                candidates.decide(&addresses, &self.policy)
            }
            Err(plan) => plan,
        };
        (plan, mx)
    }

    /// What the MX records of `domain` say by themselves, at the price of one question: a null MX, no such
    /// domain, a failure. `None` where hosts are named, or the domain itself stands in for them.
    pub async fn by_mx_alone(&self, domain: &Domain) -> Option<Plan> {
        let mx = self.resolver.mx(domain).await;
        Candidates::read(domain, &mx, &self.policy, &*self.random).err()
    }

    /// Where mail for `user@[ip]` goes. (RFC 5321 §4.1.3)
    #[must_use]
    pub fn literal(&self, ip: IpAddr) -> Plan {
        Plan::of_literal(ip, &self.policy)
    }

    /// The addresses of a configured next hop. Its addresses are not refused: the operator wrote them; and
    /// its mail waits while it has none.
    pub async fn next_hop(&self, host: &Host) -> Plan {
        match host {
            Host::Literal(ip) => Plan::of_configured_literal(*ip),
            Host::Domain(name) => {
                Plan::of_configured_host(name, &self.resolver.addresses(name).await)
            }
        }
    }

    async fn addresses(
        &self,
        hosts: impl Iterator<Item = &Domain>,
    ) -> BTreeMap<Domain, Answer<IpAddr>> {
        let hosts: Vec<&Domain> = hosts.collect();
        let lookups = hosts.iter().map(|host| self.resolver.addresses(host));
        let answers = all(lookups.collect()).await;
        hosts.into_iter().cloned().zip(answers).collect()
    }
}

impl std::fmt::Debug for Planner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Planner")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Runs a few futures side by side and gives their results in the same order.
async fn all<T>(mut futures: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let mut results: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut pending = false;
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if result.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *result = Some(value),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    results.into_iter().flatten().collect()
}

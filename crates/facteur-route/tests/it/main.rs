//! Plans over real DNS: the hickory resolver asks a server in this process, over UDP and TCP.

#[cfg(test)]
mod planner;
#[cfg(test)]
mod resolver;

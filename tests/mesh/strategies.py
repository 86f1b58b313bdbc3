"""Random configurations and calls: small alphabets, so that they often meet."""

from __future__ import annotations

from hypothesis import strategies as st

from pilothouse.mesh.evaluating import Call, HttpRequest, Identity
from pilothouse.mesh.model import (
    Backend,
    Configuration,
    HttpMatch,
    HTTPRouteGroup,
    IdentityBinding,
    IdentityRef,
    Name,
    PortRoute,
    Rule,
    Service,
    ServicePort,
    TrafficSplit,
    TrafficTarget,
    Workload,
)

SHOP = "shop"
ACCOUNTS = [Name(SHOP, "web"), Name(SHOP, "api"), Name(SHOP, "db"), Name("jobs", "web")]
PATTERNS = (
    "", "/", "/api", "/api/v1", "/api/v1/.*", "/api$", "^/api", "/(api|docs)", "/api|/apix", "/x[0-9]+",
    r".*\.css$", "/api/[^/]+/items$", "/a?pi", "/api/(v1|v2)/users",
)  # fmt: skip
PATHS = ("/", "/api", "/apix", "/api/", "/api/v1", "/api/v1/users", "/api/v1/items", "/docs", "/x7", "/x", "/s/a.css",
         "/pi", "/api/v3/items", "/api/a=b/items", "/api/v1/users?q=1")  # fmt: skip
VALUES = ("alice", "bob", "beta-7", "", "/a/b", "/{*}/b")
HEADER_PATTERNS = ("alice", "beta-.*", ".+", ".*", "a|alice", "[a-z]+", "/[^/]+/b")
METHODS = ("GET", "POST", "DELETE")
SERVICES = ("checkout", "checkout-v1", "checkout-v2", "other")

matches = st.builds(
    HttpMatch,
    name=st.sampled_from(("one", "two", "three")),
    path_regex=st.sampled_from(PATTERNS),
    methods=st.lists(st.sampled_from(METHODS), unique=True, max_size=2).map(tuple),
    headers=st.dictionaries(st.sampled_from(("x-user", "x-lane")), st.sampled_from(HEADER_PATTERNS), max_size=2).map(
        lambda found: tuple(sorted(found.items()))
    ),
)
groups = st.lists(matches, min_size=1, max_size=3, unique_by=lambda match: match.name).map(tuple)
backends = st.lists(
    st.builds(Backend, st.sampled_from(SERVICES), st.integers(0, 10)),
    min_size=1,
    max_size=3,
    unique_by=lambda b: b.service,
).filter(lambda found: any(one.weight for one in found))
sources = st.one_of(
    st.sampled_from(ACCOUNTS).map(lambda account: IdentityRef("ServiceAccount", account)),
    st.sampled_from(("one", "two")).map(lambda name: IdentityRef("IdentityBinding", Name(SHOP, name))),
)
rules = st.one_of(
    st.builds(
        Rule,
        st.just("HTTPRouteGroup"),
        st.sampled_from(("g1", "g2", "missing")),
        st.lists(st.sampled_from(("one", "two", "gone")), max_size=2, unique=True).map(tuple),
    ),
    st.builds(Rule, st.sampled_from(("TCPRoute", "UDPRoute")), st.sampled_from(("p80", "p81", "all", "missing"))),
)
requests = st.builds(
    HttpRequest,
    st.sampled_from(METHODS),
    st.sampled_from(PATHS),
    st.dictionaries(st.sampled_from(("X-User", "x-lane")), st.sampled_from(VALUES), max_size=2),
)
calls = st.builds(
    Call,
    source=st.sampled_from(ACCOUNTS).map(Identity),
    destination=st.sampled_from(ACCOUNTS[:3]).map(lambda account: Identity(account, {"app": account.name})),
    port=st.sampled_from((80, 81)),
    http=requests,
)


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """Groups, port routes, bindings, a few targets and splits, with the Services and pods around them."""
    made = Configuration()
    for name in ("g1", "g2"):
        made.add(HTTPRouteGroup(Name(SHOP, name), draw(groups)))
    for kind in ("TCPRoute", "UDPRoute"):
        for name, ports in (("p80", (80,)), ("p81", (81,)), ("all", ())):
            made.add(PortRoute(Name(SHOP, name), kind, ports))  # type: ignore[arg-type]
    made.add(IdentityBinding(Name(SHOP, "one"), service_account="web"))
    made.add(IdentityBinding(Name(SHOP, "two"), spiffe_identities=("spiffe://cluster.local/ns/jobs/sa/web",)))
    for number in range(draw(st.integers(0, 4))):
        target = TrafficTarget(
            Name(SHOP, f"t{number}"),
            IdentityRef("ServiceAccount", draw(st.sampled_from(ACCOUNTS[:3]))),
            tuple(draw(st.lists(sources, min_size=1, max_size=2, unique=True))),
            tuple(draw(st.lists(rules, min_size=1, max_size=3, unique=True))),
        )
        made.add(target)
    for number in range(draw(st.integers(0, 3))):
        groups_of = draw(st.lists(st.sampled_from(("g1", "g2", "missing")), max_size=2, unique=True))
        made.add(TrafficSplit(Name(SHOP, f"s{number}"), "checkout", tuple(draw(backends)), tuple(groups_of)))
    port = ServicePort(80, 80, "http", "http")
    for name in SERVICES:
        ports = (port,) if draw(st.integers(0, 9)) else (ServicePort(8080, 8080, "http", "http"),)
        made.services[Name(SHOP, name)] = Service(Name(SHOP, name), ports if name != "checkout" else (port,))
    for account in ACCOUNTS[:3]:
        labels = (("app", account.name),)
        made.workloads[account] = Workload(account, labels, account.name)
        ports = (port, ServicePort(81, 81, "http", "http-admin"))
        made.services[account] = Service(account, ports, labels, (account.name,))
    return made

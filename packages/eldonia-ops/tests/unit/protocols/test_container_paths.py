"""What names of log files say of containers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.protocols.container_paths import container_of

ID = "4f" * 32
UID = "a1b2c3d4-0000-4000-8000-00000000000f"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (
            f"/var/log/containers/shop-7d9f-x2x4z_prod_web-app-{ID}.log",
            {
                "k8s.pod.name": "shop-7d9f-x2x4z",
                "k8s.namespace.name": "prod",
                "k8s.container.name": "web-app",
                "container.id": ID,
            },
        ),
        (
            f"/var/log/pods/kube-system_etcd-node1_{UID}/etcd/12.log",
            {
                "k8s.namespace.name": "kube-system",
                "k8s.pod.name": "etcd-node1",
                "k8s.pod.uid": UID,
                "k8s.container.name": "etcd",
                "k8s.container.restart_count": "12",
            },
        ),
        # The folder of the host may be mounted elsewhere.
        (f"/host/var/lib/docker/containers/{ID}/{ID}-json.log", {"container.id": ID}),
        (f"/var/log/containers/shop_prod_web-{ID[:-1]}.log", {}),
        (f"/var/log/containers/a_b_c_d-{ID}.log", {}),
        (f"/var/lib/docker/containers/{ID}/{'a1' * 32}-json.log", {}),
        ("/var/log/pods/prod_shop_uid/web/first.log", {}),
        ("/var/log/syslog", {}),
        ("", {}),
    ],
)
def test_paths(path: str, found: dict[str, str]) -> None:
    assert container_of(path) == found


names = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True)


@given(names, names, names, st.integers(0, 9_999))
def test_names_come_out_as_they_went_in(namespace: str, pod: str, container: str, restarts: int) -> None:
    link = container_of(f"/var/log/containers/{pod}_{namespace}_{container}-{ID}.log")
    file = container_of(f"/var/log/pods/{namespace}_{pod}_{UID}/{container}/{restarts}.log")
    for found in (link, file):
        assert (found["k8s.namespace.name"], found["k8s.pod.name"], found["k8s.container.name"]) == (
            namespace,
            pod,
            container,
        )


@given(st.text(max_size=2_000))
def test_any_path_is_looked_at(path: str) -> None:
    container_of(path)

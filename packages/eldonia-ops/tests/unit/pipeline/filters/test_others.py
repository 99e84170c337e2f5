"""Stdout, and pods from paths."""

from fluent_conf import NOW_MS, batch, filter_with, filtered, made, texts

ID = "0123456789abcdef" * 4
TAG = f"kubernetes.var.log.containers.web-5d4b_shop_nginx-{ID}.log"


def test_stdout_shows_and_lets_pass():
    one = filter_with("@type stdout\nformat ltsv")
    found, _ = one.step(None, batch({"a": 1}), NOW_MS)
    assert (len(found.events), found.printed) == (1, ("a:1",))
    one = filter_with("@type stdout")
    found, _ = one.step(None, batch({"a": 1}), NOW_MS)
    assert found.printed[0].endswith('app.web: {"a":1}')


def test_pods_from_the_tag_and_from_a_field():
    pod = {"namespace_name": "shop", "pod_name": "web-5d4b", "container_name": "nginx"}
    assert filtered("@type kubernetes_path", {"log": "x"}, tag=TAG) == [
        {"log": "x", "kubernetes": pod, "docker": {"container_id": ID}}
    ]
    path = f"/var/log/containers/web-5d4b_shop_nginx-{ID}.log"
    records = filtered("@type kubernetes_path\npath_key path", {"path": path}, {"path": "/else"}, {})
    assert records[0]["kubernetes"] == pod
    assert records[1:] == [{"path": "/else"}, {}]
    path = "/var/log/pods/shop_web-5d4b_01234567-89ab-cdef-0123-456789abcdef/nginx/0.log"
    (found,) = filtered("@type kubernetes_path\npath_key path", {"path": path})
    assert found["kubernetes"] == {**pod, "pod_id": "01234567-89ab-cdef-0123-456789abcdef"}
    assert filtered("@type kubernetes_path", {"a": 1}, tag="app.log") == [{"a": 1}]


def test_the_plug_in_of_others_is_read_with_a_warning():
    found, problems = made("@type kubernetes_metadata\nwatch false\nskip_labels true")
    assert found is not None
    assert texts(problems)[0].startswith("2: labels and annotations are not asked of the cluster")
    assert len(problems) == 1

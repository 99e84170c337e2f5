import ssl

from eldonia_ops.collectors.tls_contexts import TlsContexts


def test_each_way_of_verifying_has_one_context():
    contexts = TlsContexts()
    trusting, strict = contexts.get(verify=False), contexts.get()
    assert (strict.verify_mode, strict.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (trusting.verify_mode, trusting.check_hostname) == (ssl.CERT_NONE, False)
    assert contexts.get() is strict
    assert contexts.get(verify=False) is trusting

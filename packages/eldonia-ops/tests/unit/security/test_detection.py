import msgspec

from eldonia_ops.model.security import SecurityEvent, SecurityEventType, SecuritySeverity
from eldonia_ops.security.detection import DEFAULT_LIMITS, DetectionLimits, DetectionState, step
from eldonia_ops.security.windows import RaiseSecurityAlert, WindowState, step_all

Type = SecurityEventType


def login(number, address="203.0.113.9", account="hana", at=None, type_=Type.FAILED_LOGIN):
    return SecurityEvent(
        f"e{number}",
        number * 1000 if at is None else at,
        type_,
        SecuritySeverity.LOW,
        address or account,
        user_id=account,
        ip_address=address,
    )


def run(events, limits=DEFAULT_LIMITS):
    state, derived = DetectionState(), []
    for event in events:
        state, more = step(state, event, limits)
        derived += more
    return state, derived


def patterns(derived):
    return {event.details["pattern"] for event in derived}


def alerts(events):
    windows, detection, found = WindowState(), DetectionState(), []
    for event in events:
        detection, derived = step(detection, event)
        windows, effects = step_all(windows, (event, *derived), event.at)
        found += [effect.alert for effect in effects if isinstance(effect, RaiseSecurityAlert)]
    return [(alert.name, alert.labels["source"]) for alert in found]


def test_one_address_guessing_passwords_becomes_brute_force():
    assert alerts([login(number) for number in range(1, 10)]) == [("SecurityFailedLogin", "203.0.113.9")]
    assert alerts([login(number) for number in range(1, 12)]) == [
        ("SecurityFailedLogin", "203.0.113.9"),
        ("SecurityBruteForceAttempt", "203.0.113.9"),
    ]


def test_one_account_tried_from_many_addresses():
    events = [login(number, address=f"198.51.100.{number}") for number in range(1, 13)]
    assert alerts(events) == [("SecurityBruteForceAttempt", "hana")]


def test_many_accounts_from_one_address():
    events = [login(number, account=f"user{number}") for number in range(1, 8)]
    assert ("SecuritySuspiciousActivity", "203.0.113.9") in alerts(events)
    _, derived = run(events)
    stuffing = [event for event in derived if event.details["pattern"] == "credential_stuffing"]
    assert [event.details["accounts"] for event in stuffing] == [4, 5, 6, 7]


def test_a_family_is_not_an_attack():
    events = [login(number, account=f"user{number % 3}") for number in range(1, 5)]
    assert alerts(events) == []
    assert patterns(run(events)[1]) == {"password_guessing"}


def test_a_repetition_derives_the_same_ids_and_no_new_account():
    events = [login(number, account=f"user{number}") for number in range(1, 6)]
    state, first = run(events)
    _, again = step(state, events[-1])
    assert {event.id for event in again} <= {event.id for event in first}


def test_memory_is_bounded():
    limits = DetectionLimits(tracked=5, kept=4)
    state, _ = run([login(n, address=f"198.51.100.{n}", account=f"u{n % 50}") for n in range(1, 200)], limits)
    assert len(state.accounts_of) == len(state.addresses_of) == 5
    state, _ = run([login(n, account=f"u{n}") for n in range(1, 100)], limits)
    assert len(state.accounts_of["203.0.113.9"].at) == 4


def test_other_events_and_events_without_an_address():
    assert run([login(1, type_=Type.XSS_ATTEMPT)])[1] == []
    _, derived = run([login(1, address="")])
    assert [(event.source, event.type) for event in derived] == [("hana", Type.BRUTE_FORCE_ATTEMPT)]


def test_state_survives_encoding():
    state, _ = run([login(n, account=f"u{n}") for n in range(1, 6)])
    copy = msgspec.json.decode(msgspec.json.encode(state), type=DetectionState)
    assert copy == state
    assert step(copy, login(9)) == step(state, login(9))

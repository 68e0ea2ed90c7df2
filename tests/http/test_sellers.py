"""A person can refuse those who sell data about them, over HTTP as anywhere else."""

from tests.http.served import Server


def test_a_seller_is_refused_and_allowed_again(shop: Server) -> None:
    path = "/v1/consent/seller-sceptic"
    assert shop.call("PUT", path, {"sellers": {"Acme": False, "Data & Sons": False}}).json["refused_sellers"] == [
        "Acme",
        "Data & Sons",
    ]
    assert shop.call("PUT", path, {"sellers": {"Acme": True}}).json["refused_sellers"] == ["Data & Sons"]
    assert shop.get(path).json["refused_sellers"] == ["Data & Sons"]
    for name in ("", " Acme", "x" * 257):
        reply = shop.call("PUT", path, {"sellers": {name: False}})
        assert reply.status == 400
        assert "sellers" in reply.json["detail"]
    assert shop.get(path).json["version"] == 2

"""
Check a raffle's draw by yourself: ``python verify_draw.py FILE``, or the JSON on standard input.

The JSON is that of GET /v2/jackpots/draws/{id}/verification; docs/draws.md tells the rules.
"""

import hashlib
import hmac
import json
import sys
from decimal import ROUND_DOWN, Decimal, localcontext
from pathlib import Path

draw = json.loads(Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else sys.stdin.read())
seed, entries, pot = draw["seed"].encode(), draw["entries"], Decimal(draw["pot_amount"])
lines = "".join(f"{entry['player_id']}\t{entry['tickets']}\n" for entry in entries).encode()
remaining = [entry["tickets"] for entry in entries]
winners, counter = [], 0
for prize in draw["prizes"]:
    eligible = [n for n, entry in enumerate(entries) if entry["tickets"] >= prize["min_tickets"]]
    # The eligible in blocks of a thousand with their tickets: a walk passes whole blocks first.
    blocks = [eligible[at : at + 1000] for at in range(0, len(eligible), 1000)]
    held = [sum(remaining[n] for n in block) for block in blocks]
    total = sum(held)
    for _ in range(prize["count"]):
        if total == 0:
            break
        value = 2**256
        while value >= 2**256 - 2**256 % total:
            message = f"{draw['draw_id']}:{counter}".encode()
            value = int(hmac.new(seed, message, "sha256").hexdigest(), 16)
            counter += 1
        ticket, block = value % total, 0
        while ticket >= held[block]:
            ticket -= held[block]
            block += 1
        for holder in blocks[block]:
            if ticket < remaining[holder]:
                break
            ticket -= remaining[holder]
        remaining[holder] -= 1
        held[block] -= 1
        total -= 1
        with localcontext(prec=100):
            share = Decimal(prize["share"] or 0) * pot
            share = share.quantize(Decimal(1).scaleb(-draw["currency_decimals"]), ROUND_DOWN)
        amount = Decimal(prize["amount"]) if prize["amount"] else share
        winners.append((prize["name"], entries[holder]["player_id"], amount, counter - 1))
published = [
    (winner["prize"], winner["player_id"], Decimal(winner["amount"]), winner["counter"])
    for winner in draw["winners"]
]
checks = {
    "commitment": hashlib.sha256(seed).hexdigest() == draw["commitment"],
    "entries": hashlib.sha256(lines).hexdigest() == draw["entries_digest"],
    "winners": winners == published,
}
for name, ok in checks.items():
    print(f"{name}: {'ok' if ok else 'WRONG'}")
sys.exit(0 if all(checks.values()) else 1)

"""
A peer: django-oscar, whose vouchers are redeemed once, or by so many, as our promos are.

It is installed from the package index into an environment of its own, and redeems by its own
code: a basket, the check of the voucher, the offers, an order. `settings`, `urls`, `wsgi` and
`prepare` run there; the other modules run here.
"""

"""
The same contribution as a Django developer writes it who has not measured anything.

Models, a serializer, a view, `transaction.atomic`, `select_for_update`, `create` for each row:
nothing in it is wrong, and its answers and its meters are right. It is what the API is
compared with.
"""

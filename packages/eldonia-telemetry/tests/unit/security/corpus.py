"""Texts that people and programs send, written for these tests. None of them is an attack."""

PROSE = """
木漏れ日の中で、白い猫が眠っている。風が吹くと、耳だけが動いた。--ある夏の午後--
お世話になっております。先日の件ですが、「納品日」を 3/5（水）から 3/12（水）に変更できますでしょうか？
セール開催中！50%オフ＆送料無料；期間限定（～12/31）。詳細は https://shop.example/sale?x=1&y=2 を見てください。
「or」と「and」の違いは、英語の授業で'必ず'習う。
作品タイトル：『<無題> -- 2024 --』／ジャンル：SF or ファンタジー
彼は言った。'1 = 1 だと信じることと、証明することは違う' と。
パスワードを忘れた方は、/etc の下ではなく設定画面をご覧ください。
サーバーの /etc/hosts を編集して、127.0.0.1 shop.test を追加してください。
価格は1,000円; 税込1,100円; 2点以上で10%引き。
;-) (^_^)/~~ <(_ _)> orz m(__)m (-_-;) ('ω')
It's a dog's life, isn't it? -- so said O'Brien, and O'Hara agreed.
Union members select their representatives from each department; the select committee drops by on Friday.
Please update your profile and set a new picture, or delete from your gallery whatever you don't like.
We need to create tables and chairs; drop the old table at the tip; insert coins into the machine.
Rock 'n' roll; rhythm & blues; drum 'n' bass -- 'tis all the same to me.
The function f(x) = x^2 -- 1 has roots at 1 and -1; 1 = 1 and 0 = 0 are tautologies.
"To be or not to be" = the question; 'tis nobler in the mind to suffer -- or is it?
Terms: 10% off orders > $50; <b>not</b> valid with other offers; see shop's FAQ.
Order #1234; qty 2; note: 'gift wrap' and "no receipt"
Meeting notes -- Monday: 1) select venue; 2) order from caterer; 3) drop off table linen
She scored 5' 11" in height and 9.5' in the long jump; 2' or 3' more than before.
I can't select * from the menu: the restaurant's union rules forbid it!
Ben & Jerry's; Marks & Spencer; Tom and Jerry or Itchy and Scratchy
How do I exit vim? :q! or :wq -- I've tried both 'n' nothing works
Math homework: if a<b and b<c then a<c; if x>0 or y>0 ...
My e-mail is 'o'neil'@example.com or "o.neil"@example.com
L'homme qui rit; c'est la vie -- n'est-ce pas? d'accord ou pas
Größe: 5'; Straße & Weg -- 'schön' oder "hässlich"
<3 <3 <3 love this work so much >_< can't wait!!!
Re: Re: your order -- "It hasn't arrived" -- what's up?
10 years' experience; 5 years' warranty; 3 or 4 weeks' delivery
Ratings: 4/5 'good' and 5/5 'great'; 1=bad, 5=best
Use ../images for pictures and ../../docs for texts.
The path C:\\Users\\me\\Pictures is where I keep them.
Don't run 'rm -rf /' or "sudo !!" -- you'll regret it; ask first
"""

TEMPLATES = [
    """Dear {{ customer.name }},

Thank you for your order #{{ order.id }} -- we've received it & it's on its way!
<table border="0" style="width:100%"><tr><td>{{ item.title }}</td><td align="right">{{ item.price }}</td></tr></table>
<a href="https://shop.example/orders/{{ order.id }}?utm_source=mail&amp;utm_campaign=order">Track your order</a>
<img src="https://shop.example/logo.png" alt="Eldonia's logo" width="120">

Don't reply to this message; questions? -> <a href="mailto:help@shop.example">help</a>
--
The shop's team
""",
    """<!DOCTYPE html>
<html lang="ja"><head><meta charset="utf-8"><style>body { font-family: 'Hiragino Sans', sans-serif; color: #333; }
.button { background: url("https://shop.example/b.png") no-repeat; }</style></head>
<body><p>{{name}} 様</p><p>いつもご利用ありがとうございます。「夏の新作」が入荷しました！</p>
<p><a class="button" href="https://shop.example/new">作品を見る</a></p>
<script type="application/ld+json">{"@context": "http://schema.org", "@type": "EmailMessage"}</script>
<p style="font-size:small">配信停止は<a href="{{unsubscribe}}">こちら</a>；お問い合わせは返信で。</p></body></html>
""",
    "Hi {{first_name|default:'there'}}, your code is {{code}}; it's valid for 10 minutes. <b>Don't</b> share it!",
    "<p>{% if user %}Hello {{ user }}{% else %}Hello 'guest'{% endif %} &mdash; 50% off; code 'SUN' or \"SEA\"</p>",
]

CODE = [
    """How do I page through works? I tried
```sql
SELECT id, title FROM works UNION SELECT id, title FROM drafts ORDER BY id; -- slow
DELETE FROM works WHERE id = 3 OR 1=1;
```
but it's far too slow. Any hints?
""",
    """This is how an injection works: if the query is built by hand and the name is `' OR '1'='1`, everybody
gets in. Use parameters instead:
```python
cursor.execute("SELECT * FROM users WHERE name = %s", (name,))
```
""",
    """To run it on the page:
```html
<script src="/static/app.js"></script>
<img src="cat.png" onerror="this.remove()">
```
and then call `alert('hello')` from the console.
""",
    """def total(items):
    '''The sum of prices; 0 if there are none.'''
    return sum(i.price for i in items if i.price > 0 or i.free)  # don't count 'None'

if __name__ == "__main__":
    print(total([]) == 0 and "ok" or "bad")
""",
    """const f = (a, b) => a && b || 'x';
let s = `${a} or ${b}`;
if (a < b && c > d) { throw new Error("can't"); }
for (let i = 0; i < n; i++) { sum += v[i]; }
""",
    """#include <stdio.h>
int main(void) { char c = '"'; printf("%c -- it's fine\\n", c); return 1 == 1 ? 0 : 1; }
""",
    """SELECT w.title, count(*) AS sold
FROM works w JOIN orders o ON o.work_id = w.id
WHERE o.status = 'paid' AND w.price > 100
GROUP BY w.title; -- the weekly report
""",
    """location / {
    root /var/www/shop;  # not /etc/nginx
    try_files $uri $uri/ =404;
}
cp ../../config/app.conf /etc/app/ && chmod 600 /etc/app/app.conf
""",
]

FIELDS = {
    "names": [
        "O'Connor",
        "D'Angelo; Maria",
        "Anne-Marie -- Smith",
        "Nguyễn Văn A",
        "田中 太郎",
        "X Æ A-12",
        "null",
        "Robert",
    ],
    "search": [
        "c++ or c#",
        "union select committee",
        '5" or 6" nails',
        "'vintage' and 'retro'",
        "size=10",
        "1 or 2 players",
    ],
    "passwords": ["p4$$w0rd;'x", "a'b\"c--d", "or1=1isnotmine", "<>!@#$%^&*()", "x;y;z", "(semi)-colon;"],
    "urls": [
        "https://a.example/?q=1&or=2#top",
        "javascript-course",
        "mailto:o'neil@example.com",
        "data:image/png;base64,iVBORw0KGgo=",
    ],
    "addresses": ["1-2-3 Ginza; Bldg. 'A' #405", "5 O'Connell St -- 2nd floor", "〒104-0061 東京都中央区銀座1-2-3"],
    "numbers": ["1=1", "100%", "3 < 4", "-1 or +1", "1;2;3", "2024-01-01 -- 2024-12-31"],
}

NORMAL: list[str] = [
    *(line for line in PROSE.strip().splitlines() if line),
    PROSE,
    *TEMPLATES,
    *CODE,
    *(value for values in FIELDS.values() for value in values),
]

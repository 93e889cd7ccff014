#include "learn/train/report/html_page.h"

#include <gtest/gtest.h>

namespace minke {
namespace {

TEST(HtmlEscape, SpellsOutWhatIsNoText) {
  EXPECT_EQ(html_escape("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(html_escape("\xff\n\x01"), "\\xff\n\\x01");
  EXPECT_EQ(html_escape(std::string(500, 'a')), std::string(500, 'a'));
}

TEST(HtmlPage, EscapesItsTitleAndTakesTheRestAsItIs) {
  const std::string page = html_page("a<b", "p{margin:0}\n", "<p>x</p>\n");
  EXPECT_NE(page.find("<title>a&lt;b</title>"), std::string::npos);
  EXPECT_TRUE(
      page.ends_with("p{margin:0}\n</style>\n</head>\n<body>\n<main>\n<h1>a&lt;b</h1>\n"
                     "<p>x</p>\n</main>\n</body>\n</html>\n"));
  EXPECT_EQ(page.find("a<b"), std::string::npos);
}

}  // namespace
}  // namespace minke

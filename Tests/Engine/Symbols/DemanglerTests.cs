using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Names of Rust and C++, as people write them.</summary>
public sealed class DemanglerTests
{
    [Theory]
    [InlineData("_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write")]
    [InlineData("_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE", "<Test + 'static as foo::Bar<Test>>::bar")]
    [InlineData("_ZN3app4main28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE", "app::main::{{closure}}")]
    [InlineData("_RNvCs1234_7mycrate3foo", "mycrate::foo")]
    [InlineData("_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar")]
    [InlineData("_RNCNvCs1234_7mycrate4main0", "mycrate::main::{closure#0}")]
    [InlineData("_RNCNvCs1234_7mycrate4mains_0", "mycrate::main::{closure#1}")]
    [InlineData("_RINvCs1234_7mycrate3foohlE", "mycrate::foo::<u8, i32>")]
    [InlineData("_RNvMCs1234_7mycrateINtB2_3FoopE3new", "<mycrate::Foo<_>>::new")]
    [InlineData("_RNvXCs1234_7mycrateNtB2_3FooNtB2_5Trait3run", "<mycrate::Foo as mycrate::Trait>::run")]
    [InlineData("_RINvCs1234_7mycrate3fooRShTlmEAhj3_E", "mycrate::foo::<&[u8], (i32, u32), [u8; 3]>")]
    [InlineData("_RINvCs1234_7mycrate3fooKb1_E", "mycrate::foo::<true>")]
    [InlineData("_RINvCs1234_7mycrate3fooFG_RL0_hEuE", "mycrate::foo::<for<'a> fn(&'a u8)>")]
    [InlineData("_RNvCs1234_7mycrateu8gdel_5qa", "mycrate::g\u00f6del")]
    [InlineData("_Z3addii", "add(int, int)")]
    [InlineData("_Z1fv", "f()")]
    [InlineData("_ZN3foo3barEPKc", "foo::bar(char const*)")]
    [InlineData("_ZN3Foo3barERKS_", "Foo::bar(Foo const&)")]
    [InlineData("_ZNK3Foo3getEv", "Foo::get() const")]
    [InlineData("_ZN3FooC2Ei", "Foo::Foo(int)")]
    [InlineData("_ZN3FooD1Ev", "Foo::~Foo()")]
    [InlineData("_ZN3FooplERKS_", "Foo::operator+(Foo const&)")]
    [InlineData("_ZN3FoocvbEv", "Foo::operator bool()")]
    [InlineData("_Z3maxIiET_S0_S0_", "int max<int>(int, int)")]
    [InlineData("_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int> >::push_back(int const&)")]
    [InlineData("_ZN3BoxIiEC1Ei", "Box<int>::Box(int)")]
    [InlineData("_Z4callPFivE", "call(int (*)())")]
    [InlineData("_Z4takeRA3_i", "take(int (&) [3])")]
    [InlineData("_ZN12_GLOBAL__N_13fooEv", "(anonymous namespace)::foo()")]
    [InlineData("_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()() const")]
    [InlineData("_Z1fILi3EEvv", "void f<3>()")]
    [InlineData("_Z1fIJidEEvDpT_", "void f<int, double>(int, double)")]
    [InlineData("_ZTV3Foo", "vtable for Foo")]
    [InlineData("main", "main")]
    [InlineData("_Zq", "_Zq")]
    [InlineData("_Zqq", "_Zqq")]
    [InlineData("_R", "_R")]
    [InlineData("_RNvC", "_RNvC")]
    [InlineData("_ZN", "_ZN")]
    public void NamesAreDemangled(string mangled, string expected) => Assert.Equal(expected, Demangler.Demangle(mangled));

    /// <summary>Names that refer to themselves or double with each part.</summary>
    [Fact]
    public void HostileNamesStayShortAndEnd()
    {
        string nested = "_Z1f" + string.Concat(Enumerable.Repeat("P", 4000)) + "i";
        string doubled = "_Z1f" + "1AIiiE" + string.Concat(Enumerable.Range(0, 60).Select(i => $"1BIS{Base36(i)}_S{Base36(i)}_E"));
        string rust = "_RINvC1a1f" + string.Concat(Enumerable.Repeat("TB8_B8_", 400)) + "E";
        string loop = "_RIB_E";
        string many = "_RNvC1a" + string.Concat(Enumerable.Repeat("u", 4000));
        foreach (string name in (string[])[nested, doubled, rust, loop, many])
            Assert.True(Demangler.Demangle(name).Length <= Math.Max(name.Length, Demangler.MaxResult));
    }

    private static string Base36(int number) => number < 10 ? $"{number}" : number < 36 ? $"{(char)('A' + number - 10)}" : $"1{number - 36}";

    [Fact]
    public void NamesThatAreNearlyRightAreHarmless()
    {
        string[] good =
        [
            "_ZNSt6vectorIiSaIiEE9push_backERKi", "_ZZ4mainENKUlvE_clEv", "_Z3maxIiET_S0_S0_", "_RINvCs1234_7mycrate3fooRShTlmEAhj3_E",
            "_RNvXCs1234_7mycrateNtB2_3FooNtB2_5Trait3run", "_RINvCs1234_7mycrate3fooFG_RL0_hEuE", "_RNvCs1234_7mycrateu8gdel_5qa",
        ];
        const string letters = "_ZNKSTRBIEFGDMPLUltijv0123456789$.usXCYA\u00f6";
        var random = new Random(17);
        for (int i = 0; i < 20_000; i++)
        {
            char[] name = good[random.Next(good.Length)].ToCharArray();
            for (int j = random.Next(4); j >= 0; j--) name[random.Next(2, name.Length)] = letters[random.Next(letters.Length)];
            string text = new(name);
            Assert.True(Demangler.Demangle(text).Length <= Math.Max(text.Length, Demangler.MaxResult), text);
        }
    }
}

using System.Text;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Custom sections as a host sees them.</summary>
public sealed class CustomSectionTests
{
    [Fact]
    public void AreFoundByName()
    {
        Module module = new Engine().CompileText("""
            (module (@custom "a" "1") (@custom "b" (before first) "2") (@custom "a" "\00\ff") (func $f))
            """);
        Assert.Equal(["b", "name", "a", "a"], module.CustomSections.Select(s => s.Name));
        Assert.Equal(["31", "00FF"], module.GetCustomSections("a").Select(c => Convert.ToHexString(c.Span)));
        Assert.Equal("2", Encoding.UTF8.GetString(Assert.Single(module.GetCustomSections("b")).Span));
        Assert.Empty(module.GetCustomSections("c"));
        Assert.Empty(module.CustomSectionProblems);
    }

    [Theory]
    [InlineData("(@custom \"metadata.code.branch_hint\" (before code) \"\\01\\00\\01\\01\\01\\00\")", "invalid target")]
    [InlineData("(@custom \"metadata.code.branch_hint\" (before code) \"\\01\\05\\01\\01\\01\\00\")", "not in a function")]
    [InlineData("(@custom \"metadata.code.branch_hint\" (before code) \"\\01\\00\\01\\03\\01\\02\")", "invalid hint value")]
    [InlineData("(@custom \"metadata.code.branch_hint\" (before code) \"\\01\\00\\01\\03\\02\\00\\00\")", "missing reserved byte")]
    [InlineData("(@custom \"metadata.code.branch_hint\" (before code) \"\\01\\00\\02\\03\\01\\00\\03\\01\\00\")", "invalid order")]
    [InlineData("(@custom \"metadata.code.branch_hint\" (before code) \"\\01\\00\\01\\03\\01\\00\\00\")", "section size mismatch")]
    [InlineData("(@custom \"metadata.code.branch_hint\" (before code) \"\\01\\00\")", "unexpected end")]
    [InlineData("(@custom \"metadata.code.branch_hint\" \"\\00\") (@custom \"metadata.code.branch_hint\" \"\\00\")", "multiple sections")]
    [InlineData("(@custom \"name\" \"\\00\\05\\01m\")", "length out of bounds")]
    [InlineData("(@custom \"name\" \"\\00\\02\\01\\ff\")", "malformed UTF-8 encoding")]
    public void MakeNoModuleInvalid(string section, string problem)
    {
        Module module = new Engine().CompileText($"(module {section} (func (export \"f\") (result i32) (if (i32.const 0) (then)) (i32.const 7)))");
        Assert.Equal(7, module.Instantiate().GetExport<Func<int>>("f")());
        Assert.Contains(problem, Assert.Single(module.CustomSectionProblems), StringComparison.Ordinal);
    }

    [Fact]
    public void GoodHintsAreNoProblem()
    {
        Module module = new Engine().CompileText("""
            (module (func (export "f") (param i32) (result i32)
              (@metadata.code.branch_hint "\01") (if (result i32) (local.get 0) (then (i32.const 1)) (else (i32.const 2)))))
            """);
        Assert.Empty(module.CustomSectionProblems);
        Assert.Equal("01000103" + "0101", Convert.ToHexString(Assert.Single(module.GetCustomSections("metadata.code.branch_hint")).Span));
        Assert.Equal(1, module.Instantiate().GetExport<Func<int, int>>("f")(5));
    }
}

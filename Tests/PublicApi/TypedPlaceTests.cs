using WasmJit.DynamicLinking;
using WasmJit.Gc;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Places of a typed reference, whoever writes them: nothing gets in that is not of the type.</summary>
public sealed class TypedPlaceTests
{
    private readonly Engine engine = new();

    /// <summary>A module whose function types are the element types of what it exports.</summary>
    private Instance Typed() => engine.CompileText("""
        (module (type $t (func (param i64) (result i64))) (type $s (struct (field (mut (ref $t))) (field (mut (ref null $t))))) (type $a (array (mut (ref $t))))
          (func $id (export "id") (type $t) (local.get 0)) (func (export "other") (param f32)) (elem declare func $id)
          (table (export "never") 1 10 (ref $t) (ref.func $id)) (table (export "maybe") 1 10 (ref null $t))
          (global (export "g") (mut (ref $t)) (ref.func $id)) (global (export "n") (mut (ref null $t)) (ref.func $id))
          (func (export "struct") (result (ref $s)) (struct.new $s (ref.func $id) (ref.func $id)))
          (func (export "array") (result (ref $a)) (array.new $a (ref.func $id) (i32.const 2)))
          (func (export "call") (result i64) (call_ref $t (i64.const 5) (table.get 0 (i32.sub (table.size 0) (i32.const 1))))))
        """).Instantiate();

    [Fact]
    public void TablesOfReferencesThatAreNeverNullTakeNoNull()
    {
        Instance typed = Typed();
        var never = typed.GetExport<Table>("never");
        Assert.Throws<ArgumentException>(() => never[0] = null);
        Assert.Throws<ArgumentException>(() => never.Grow(1));
        Assert.Equal(1, never.Grow(0));
        Assert.Equal(1, never.Grow(1, typed.GetExport<Delegate>("id")));
        Assert.Equal(5, typed.GetExport<Func<long>>("call")());
        Assert.Throws<ArgumentException>(() => new Table(never.Type with { Minimum = 1 }));
        Assert.Equal(0, new Table(never.Type with { Minimum = 0 }).Size);
        Assert.Equal(2, new Table(never.Type with { Minimum = 2 }, typed.GetExport<Delegate>("id")).Size);
        Assert.Throws<ArgumentException>(() => new Table(new TableType(ValType.I32, 1)));
        Assert.Throws<LinkException>(() => new Imports().AddUnknown(
            engine.CompileText("(module (type $t (func)) (import \"a\" \"b\" (table 1 (ref $t))))"), UnknownImports.Default));
    }

    [Fact]
    public void NothingTakesAFunctionOfAnotherType()
    {
        Instance typed = Typed();
        object id = typed.GetExport<Delegate>("id");
        foreach (object? wrong in new object?[] { typed.GetExport<Delegate>("other"), (Func<int, int>)(x => x), new object(), 5L })
        {
            foreach (string name in new[] { "never", "maybe" })
            {
                var table = typed.GetExport<Table>(name);
                Assert.Throws<ArgumentException>(() => table[0] = wrong);
                Assert.Throws<ArgumentException>(() => table.Grow(1, wrong));
                Assert.Throws<ArgumentException>(() => new Table(table.Type, wrong));
            }
            foreach (string name in new[] { "g", "n" }) Assert.Throws<ArgumentException>(() => typed.GetExport<Global>(name).Value = wrong);
            Assert.Throws<ArgumentException>(() => new Global(typed.GetExport<Global>("n").Type, wrong));
            var made = (WasmStruct)typed.GetExport<Func<object>>("struct")();
            WasmArray array = WasmArray.Of(typed.GetExport<Func<object>>("array")());
            for (int field = 0; field < 2; field++)
            {
                Assert.Throws<ArgumentException>(() => made[field] = wrong);
                Assert.Throws<ArgumentException>(() => made.Set(field, wrong));
                made[field] = id;
            }
            Assert.Throws<ArgumentException>(() => array[1] = wrong);
            Assert.Throws<ArgumentException>(() => WasmStruct.Create(made.Type, id, wrong));
            Assert.Throws<ArgumentException>(() => WasmArray.Create(array.Type, [id, wrong]));
        }
        Assert.Throws<ArgumentException>(() => typed.GetExport<Global>("g").Value = null);
        typed.GetExport<Global>("n").Value = null;
        Assert.Throws<ArgumentException>(() => ((WasmStruct)typed.GetExport<Func<object>>("struct")())[0] = null);
    }

    [Fact]
    public void ArgumentsResultsAndExceptionsAreChecked()
    {
        Instance takes = engine.CompileText("""
            (module (type $t (func (param i64) (result i64))) (import "env" "give" (func $give (result (ref null $t)))) (tag (export "tag") (param (ref $t)))
              (func (export "take") (param (ref $t)) (result i64) (call_ref $t (i64.const 1) (local.get 0)))
              (func (export "get") (result i64) (call_ref $t (i64.const 1) (call $give))))
            """).Instantiate(new Imports { { "env", "give", (Func<Delegate>)(() => (Action)(() => { })) } });
        var take = takes.GetExport<Func<Delegate?, long>>("take");
        Assert.Equal(2, take((Func<long, long>)(x => x * 2)));
        Assert.Throws<ArgumentException>(() => take((Action)(() => { })));
        Assert.Throws<ArgumentException>(() => take(null));
        Assert.Throws<ArgumentException>(() => takes.GetExport<Func<long>>("get")());
        var tag = takes.GetExport<Tag>("tag");
        Assert.Throws<ArgumentException>(() => new WasmException(tag, (Action)(() => { })));
        Assert.Throws<ArgumentException>(() => new WasmException(tag, [null]));
    }

    [Theory]
    [InlineData("(ref null $t)")]
    [InlineData("(ref null nofunc)")]
    public void AProgramWhoseTableIsNoTableOfAllFunctionsIsNotLinked(string element)
    {
        // What the linker writes would be of another type than what the program reads.
        Module program = engine.CompileText($$"""
            (module (type $t (func (param i64) (result i64)))
              (import "env" "dlopen" (func $dlopen (param i32 i32) (result i32))) (import "env" "dlsym" (func $dlsym (param i32 i32) (result i32)))
              (memory (export "memory") 2) (data (i32.const 16) "/a.so\00") (data (i32.const 32) "peek\00")
              (table $tbl (export "__indirect_function_table") 4 1000 {{element}}) (global (export "__stack_pointer") (mut i32) (i32.const 65536)))
            """);
        var linker = new DynamicLinker(new MemoryNamespace());
        string message = Assert.Throws<DynamicLinkException>(() => linker.Instantiate(program)).Message;
        Assert.Contains("funcref", message, StringComparison.Ordinal);
        // So is one that imports it.
        Module independent = engine.CompileText($$"""
            (module (@custom "dylink.0" (before first) "\01\04\00\00\00\00") (type $t (func))
              (import "env" "memory" (memory 1)) (import "env" "__indirect_function_table" (table 0 {{element}})))
            """);
        Assert.Throws<DynamicLinkException>(() => new DynamicLinker(new MemoryNamespace()).Instantiate(independent));
    }

    [Fact]
    public void ATableOfReferencesThatAreNeverNullIsNoTableOfTheLinkersEither()
    {
        Module program = engine.CompileText("""
            (module (func $f) (memory (export "memory") 2) (table (export "__indirect_function_table") 4 1000 (ref func) (ref.func $f)))
            """);
        Assert.Throws<DynamicLinkException>(() => new DynamicLinker(new MemoryNamespace()).Instantiate(program));
    }
}

using System.Collections.Immutable;
using WasmJit.Components;
using WasmJit.Jit.Format;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Each class of value types has samples here, and every sample goes through every place that has a case for each type. A type that is new and lacks one is
/// found by name: it has no sample, or a place throws (<see cref="ComponentValType.Unhandled"/>) or takes two types for the same.
/// </summary>
public sealed class ValueTypeCoverageTests
{
    private static readonly Engine Engine = new();

    public enum Color
    {
        Red,
        Green,
    }

    [Flags]
    public enum Access
    {
        None,
        Read,
        Write,
    }

    public sealed record Point(byte X, string Y);

    public abstract record Shape;

    public sealed record Round(byte Size) : Shape;

    public sealed record Flat : Shape;

    /// <param name="Text">A type.</param>
    /// <param name="Other">Another one of the class, with another structure.</param>
    /// <param name="Value">A value of the type; null where values are handles, which are never equal.</param>
    /// <param name="PassTyped">Passes a value of .NET through components.</param>
    private sealed record Sample(string Text, string Other, ComponentValue? Value = null, Action<ComponentValType>? PassTyped = null);

    private static readonly Dictionary<string, Sample> Samples = new()
    {
        [nameof(PrimitiveType)] = new("u8", "string", ComponentValue.From((byte)7), type => PassTyped(type, (byte)7)),
        [nameof(RecordType)] = new(
            "(record (field \"x\" u8) (field \"y\" string))", "(record (field \"x\" u8))",
            ComponentValue.Record(("x", ComponentValue.From((byte)1)), ("y", ComponentValue.From("a"))), type => PassTyped(type, new Point(1, "a"))),
        [nameof(TupleType)] = new(
            "(tuple u8 string)", "(tuple u8)", ComponentValue.Tuple(ComponentValue.From((byte)1), ComponentValue.From("a")), type => PassTyped(type, ((byte)1, "a"))),
        [nameof(VariantType)] = new(
            "(variant (case \"flat\") (case \"round\" u8))", "(variant (case \"round\" u8))",
            ComponentValue.Variant("round", ComponentValue.From((byte)1)), type => PassTyped<Shape>(type, new Round(1))),
        [nameof(ListType)] = new(
            "(list string)", "(list u8)", ComponentValue.List(ComponentValue.From("a"), ComponentValue.From("b")), type => PassTyped<string[]>(type, ["a", "b"])),
        [nameof(MapType)] = new(
            "(map string u8)", "(map string u16)", ComponentValue.Map((ComponentValue.From("a"), ComponentValue.From((byte)1))),
            type => PassTyped(type, new Dictionary<string, byte> { ["a"] = 1 })),
        [nameof(FlagsType)] = new("(flags \"read\" \"write\")", "(flags \"read\")", ComponentValue.Flags("write"), type => PassTyped(type, Access.Write)),
        [nameof(EnumType)] = new("(enum \"red\" \"green\")", "(enum \"red\")", ComponentValue.Enum("green"), type => PassTyped(type, Color.Green)),
        [nameof(OptionType)] = new("(option u8)", "(option u16)", ComponentValue.Some(ComponentValue.From((byte)1)), type => PassTyped<byte?>(type, 1)),
        [nameof(ResultType)] = new(
            "(result u8 (error string))", "(result u8)", ComponentValue.Error(ComponentValue.From("a")),
            type => PassTyped(type, ComponentResult<byte, string>.Fail("a"))),
        [nameof(HandleType)] = new("(own $r)", "(own $s)"),
        [nameof(StreamType)] = new("(stream u8)", "(stream u16)"),
    };

    private static IEnumerable<Type> Classes => typeof(ComponentValType).Assembly.GetTypes().Where(t => !t.IsAbstract && t.IsSubclassOf(typeof(ComponentValType)));

    public static TheoryData<string> Names => [.. Classes.Select(t => t.Name)];

    /// <summary>Those that have values of their own.</summary>
    public static TheoryData<string> NamesWithValues => [.. Classes.Select(t => t.Name).Where(name => !Samples.TryGetValue(name, out Sample? sample) || sample.Value is not null)];

    private static Sample Of(string name) => Samples.TryGetValue(name, out Sample? sample) ? sample : throw new KeyNotFoundException($"{name} has no sample");

    private const string Resources = "(import \"r\" (type $r (sub resource))) (import \"s\" (type $s (sub resource)))";

    private static ComponentDefinition Load(string text) => ComponentBinary.Load(Wat.ToBinary($"(component {Resources} {text})"));

    /// <summary>Types that are defined one behind the other.</summary>
    private static ComponentValType[] Types(params string[] texts) =>
        [.. Load(string.Concat(texts.Select(t => $"(type {t})"))).Spaces.Types.TakeLast(texts.Length).Cast<ComponentValType>()];

    [Theory]
    [MemberData(nameof(Names))]
    public void IsTheSameAsItselfAndAsNoOther(string name)
    {
        Sample sample = Of(name);
        ComponentValType[] types = Types(sample.Text, sample.Text, sample.Other);
        (ComponentValType type, ComponentValType same, ComponentValType other) = (types[0], types[1], types[2]);
        Assert.Equal(name, type.GetType().Name);
        Assert.Equal(name, other.GetType().Name);
        // There is one object for each primitive type.
        if (type is not PrimitiveType) Assert.NotSame(type, same);
        Assert.Same(type.Canonical, same.Canonical);
        Assert.NotSame(type.Canonical, other.Canonical);

        Assert.Null(ValueDifference.Describe(type, same));
        string reason = ValueDifference.Describe(type, other)!;
        Assert.NotEqual($"expected {other.Kind}, found {type.Kind}", reason);

        Assert.NotEqual(new TypeShape([type]).Key, new TypeShape([other, null]).Key);

        // Types of components that know nothing of each other. Resource types are equal by their place.
        RuntimeResource r = new(null, ValType.I32), s = new(null, ValType.I32);
        ComponentValType[] elsewhere = Types(sample.Text, sample.Other);
        var comparer = new TypeComparer(Resolver(type, other), Resolver(elsewhere[0], elsewhere[1]));
        Assert.True(comparer.Same(type, elsewhere[0]));
        Assert.False(comparer.Same(type, elsewhere[1]));

        Func<ResourceType, RuntimeResource?> Resolver(ComponentValType first, ComponentValType second) =>
            resource => first is HandleType a && ReferenceEquals(a.Resource.Canonical, resource.Canonical) ? r
                : second is HandleType b && ReferenceEquals(b.Resource.Canonical, resource.Canonical) ? s : null;
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void HasAFlatForm(string name)
    {
        ComponentValType type = Types(Of(name).Text)[0];
        Assert.Equal(type.FlatCount, FlatOf(type).Count);
    }

    private static List<ValType> FlatOf(ComponentValType type)
    {
        var flat = new List<ValType>();
        FlatTypes.Flatten(type, false, flat);
        return flat;
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void HasItsNotations(string name)
    {
        string text = $"(component {Resources} (type $t' {Of(name).Text}) (import \"t\" (type $t (eq $t'))) (import \"g\" (func (param \"x\" $t))))";
        byte[] bytes = Wat.ToBinary(text);
        string printed = Wat.FromBinary(bytes);
        Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(Wat.ToBinary(printed)));
        string wit = WitPrinter.Print(ComponentBinary.Load(bytes));
        // So it says that it has no words for a type.
        Assert.DoesNotContain("/*", wit, StringComparison.Ordinal);
        Assert.DoesNotContain("//", wit, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(NamesWithValues))]
    public void ValuesAreReadAndWritten(string name)
    {
        Sample sample = Of(name);
        ComponentValType type = Types(sample.Text)[0];
        ComponentValue value = sample.Value!.Value;
        Assert.Null(new ValueCheck(_ => null).Problem(value, type));
        var writer = new ValueWriter();
        writer.Write(value, type);
        byte[] bytes = writer.ToArray();
        var reader = new ByteReader(bytes, 0, bytes.Length);
        Assert.Equal(value, new ValueReader(true).Read(ref reader, type));
        Assert.True(reader.AtEnd);
    }

    [Fact]
    public void ACaseThatTheTypeDoesNotHaveIsAProblem()
    {
        ComponentValType type = Types("(variant (case \"a\") (case \"b\" u8))")[0];
        Assert.Null(new ValueCheck(_ => null).Problem(ComponentValue.Variant("a"), type));
        Assert.Equal("there is no case \"c\"", new ValueCheck(_ => null).Problem(ComponentValue.Variant("c"), type));
    }

    /// <summary>From the host to a component, to another one and to the host: in core values, and in memory.</summary>
    [Theory]
    [MemberData(nameof(NamesWithValues))]
    public void ValuesArePassed(string name)
    {
        Sample sample = Of(name);
        foreach (bool isPadded in new[] { false, true })
        {
            ComponentValType type = Types(sample.Text)[0];
            ComponentValue value = isPadded ? EchoComponent.Pad(sample.Value!.Value) : sample.Value!.Value;
            ComponentValue got = default;
            var host = new ComponentHost
            {
                {
                    "g", arguments =>
                    {
                        got = arguments[0];
                        return default(ComponentValue);
                    }
                },
            };
            using ComponentInstance instance = Engine.CompileComponent(Wat.ToBinary(Passing(sample.Text, type, isPadded))).Instantiate(host);
            instance.GetFunction("f").Call(value);
            Assert.Equal(value, got);
        }
    }

    [Theory]
    [MemberData(nameof(NamesWithValues))]
    public void ValuesOfNetArePassed(string name)
    {
        Sample sample = Of(name);
        sample.PassTyped!(Types(sample.Text)[0]);
    }

    private static void PassTyped<T>(ComponentValType type, T value)
    {
        T? got = default;
        var host = new ComponentHost { { "g", (Action<T>)(x => got = x) } };
        string text = Samples[type.GetType().Name].Text;
        using ComponentInstance instance = Engine.CompileComponent(Wat.ToBinary(Passing(text, type, false))).Instantiate(host);
        instance.GetFunction<Action<T>>("f")(value);
        Assert.Equal(value, got);
    }

    /// <summary>A component that gives what it gets to another one, which gives it to the host.</summary>
    private static string Passing(string type, ComponentValType parsed, bool isPadded)
    {
        string core = isPadded ? "i32" : string.Join(' ', FlatOf(parsed));
        string locals = string.Concat(Enumerable.Range(0, core.Split(' ').Length).Select(i => $" (local.get {i})"));
        string types = $"(type $t' {type}) (import \"t\" (type $t (eq $t'))) (type $x {(isPadded ? EchoComponent.Padded("$t") : "(tuple $t)")})";
        string passed = isPadded ? "$x" : "$t";
        return $"""
            (component
              {types}
              (import "g" (func $g (param "x" {passed})))
              (component $C
                {types}
                (import "g" (func $g (param "x" {passed})))
                (core module $Libc {EchoComponent.Allocator})
                (core instance $libc (instantiate $Libc))
                (core func $lowered (canon lower (func $g) (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
                (core module $M (import "" "g" (func $g (param {core}))) (func (export "f") (param {core}) (call $g{locals})))
                (core instance $m (instantiate $M (with "" (instance (export "g" (func $lowered))))))
                (func (export "f") (param "x" {passed}) (canon lift (core func $m "f") (memory (core memory $libc "mem")) (realloc (core func $libc "realloc")))))
              (instance $first (instantiate $C (with "t" (type $t)) (with "g" (func $g))))
              (instance $second (instantiate $C (with "t" (type $t)) (with "g" (func $first "f"))))
              (export "f" (func $second "f")))
            """;
    }

    /// <summary>What a built-in's type is, and what it does, are switch expressions over all of them, which the compiler checks. Its name and immediates are a row.</summary>
    [Fact]
    public void EveryBuiltinHasItsRow()
    {
        CanonOp[] lacking = [.. Enum.GetValues<CanonOp>().Where(op => !CanonBuiltins.TryGet(op, out _))];
        Assert.Equal([CanonOp.Lift, CanonOp.Lower], lacking);
        ImmutableArray<string> names = [.. Enum.GetValues<CanonOp>().Except(lacking).Select(CanonBuiltins.Name)];
        Assert.Equal(names.Length, names.Distinct().Count());
    }
}

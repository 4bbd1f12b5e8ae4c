using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Saved components: what they do, and files that are not saved components.</summary>
public sealed class SavedComponentTests
{
    private static readonly EngineOptions NoCompiler = new() { Compilation = Compilation.Never };

    /// <summary>Two core modules, in components inside.</summary>
    private static readonly byte[] Component = Wat.ToBinary(
        """
        (component
          (component $A
            (core module $M (func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))
            (core instance $m (instantiate $M))
            (func (export "twice") (param "x" u32) (result u32) (canon lift (core func $m "twice"))))
          (component $B
            (import "twice" (func $twice (param "x" u32) (result u32)))
            (core func $twice' (canon lower (func $twice)))
            (core module $N (import "" "twice" (func $t (param i32) (result i32)))
              (func (export "four-times") (param i32) (result i32) (call $t (call $t (local.get 0)))))
            (core instance $n (instantiate $N (with "" (instance (export "twice" (func $twice'))))))
            (func (export "four-times") (param "x" u32) (result u32) (canon lift (core func $n "four-times"))))
          (instance $a (instantiate $A))
          (instance $b (instantiate $B (with "twice" (func $a "twice"))))
          (export "four-times" (func $b "four-times")))
        """);

    private static byte[] Save(EngineOptions? options = null)
    {
        var file = new MemoryStream();
        new Engine(options).CompileComponent(Component).Save(file);
        return file.ToArray();
    }

    private static WasmComponent Load(byte[] file, EngineOptions? options = null) => new Engine(options ?? NoCompiler).LoadSavedComponent(new MemoryStream(file));

    [Fact]
    public void ASavedComponentRunsWithoutACompiler()
    {
        WasmComponent component = Load(Save());
        using ComponentInstance instance = component.Instantiate();
        Assert.Equal(84u, instance.GetFunction("four-times").Call([ComponentValue.From(21u)]).AsU32());
        // The code of both modules is the file's.
        NestedDefinition[] inner = [.. component.Definition.Definitions.OfType<NestedDefinition>()];
        Assert.Equal(2, inner.Length);
        foreach (ComponentDefinition part in inner.Select(n => n.Component))
            Assert.NotNull(new Module(component.Engine, part.Definitions.OfType<CoreModuleDefinition>().Single().Module).SavedCode);
    }

    [Fact]
    public void WhatWasLoadedIsSavedAsItWas()
    {
        byte[] file = Save();
        var again = new MemoryStream();
        Load(file).Save(again);
        Assert.Equal(file, again.ToArray());
    }

    [Fact]
    public void OptionsMustBeMet()
    {
        SavedModuleException e = Assert.Throws<SavedModuleException>(() => Load(Save(), NoCompiler with { CountFuel = true }));
        Assert.Equal(SavedModuleProblem.OtherOptions, e.Problem);
        Load(Save(new EngineOptions { CountFuel = true }), NoCompiler with { CountFuel = true });
    }

    [Fact]
    public void OtherFilesAreRejected()
    {
        byte[] file = Save();
        foreach (byte[] other in (byte[][])[[], Component, "MZ"u8.ToArray()])
            Assert.Equal(SavedModuleProblem.NotSaved, Assert.Throws<SavedModuleException>(() => Load(other)).Problem);
        for (int length = 32; length < file.Length; length += 997) Assert.Throws<SavedModuleException>(() => Load(file[..length]));
        Assert.Throws<SavedModuleException>(() => Load([.. file, 0]));
        // A byte of the component, or of a module in it: none of the two is believed alone.
        for (int at = 22; at < 22 + Component.Length; at += 7)
        {
            byte[] changed = [.. file];
            changed[at] ^= 1;
            Exception? thrown = Record.Exception(() => Load(changed));
            Assert.True(thrown is null or SavedModuleException, $"{thrown}");
        }
    }

    /// <summary>Core modules in components get what the engine's options say, as others do.</summary>
    [Fact]
    public void OptionsHoldForCoreModules()
    {
        byte[] component = Wat.ToBinary("(component (core module (func (param (ref null instance)))))");
        new Engine().CompileComponent(component);
        Assert.Throws<InvalidModuleException>(() => new Engine(new EngineOptions { RuntimeLinking = false }).CompileComponent(component));
    }
}
